import { describe, expect, it } from "vitest";
import { environment, recordingLogger } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { Table } from "../../test/table.ts";
import { activity } from "../define/activity.ts";
import type { RunInTransaction } from "../define/activity-context.ts";
import { workflow } from "../define/workflow.ts";
import { memory, type MemoryTransaction, virtualClock } from "../memory.ts";
import { everyCrash } from "./every-crash.ts";

const retry = { maximumAttempts: 2, delay: "1m" } as const;

function reserving(transaction: RunInTransaction<MemoryTransaction>, insert: (tx: MemoryTransaction) => void) {
  const reserve = activity({ name: "reserve", retry, transaction }, async (item: string, { tx }) => {
    insert(tx);
    return `real ${item}`;
  });
  return { reserve, order: workflow({ name: "order" }, (ctx, item: string) => ctx.run(reserve, item)) };
}

const nowhere: RunInTransaction<MemoryTransaction> = () => {
  throw new Error("This test has no database.");
};

describe("a mock of a transactional activity", () => {
  it("needs no transaction: its result is recorded as any other", async () => {
    const { reserve, order } = reserving(nowhere, () => {});
    const env = environment({ workflows: [order], activities: [reserve] });
    const reserved = env.mock(reserve, async (item, context) => {
      expect(context).not.toHaveProperty("tx");
      if (context.attempt === 1) throw new Error("deadlock");
      return `mocked ${item}`;
    });
    const run = await env.client.start(order, "pen");
    expect(await env.result(run)).toBe("mocked pen");
    expect(reserved.calls).toMatchObject([{ status: "threw" }, { status: "returned", output: "mocked pen" }]);
  });

  it("needs no storage that can join one; without the mock it fails at once, and says why", async () => {
    const { reserve, order } = reserving(nowhere, () => {});
    const clock = virtualClock();
    const inner = memory({ clock });
    const capabilities = { ...inner.info.capabilities, transactions: [] };
    const storage = intercepted(inner, {}, { ...inner.info, capabilities });
    const env = environment({ clock, storage, workflows: [order], activities: [reserve] });
    env.mock(reserve, () => "mocked");
    expect(await env.result(await env.client.start(order, "pen"))).toBe("mocked");
    env.unmock(reserve);
    await expect(env.result(await env.client.start(order, "pen"))).rejects.toMatchObject({
      failure: { cause: { code: "unsupported", message: expect.stringContaining("is transactional") as string } },
    });
    expect(env.logs.map(({ message }) => message)).toContainEqual(expect.stringContaining("Attempt 1 of 2"));
    expect(env.logs.map(({ message }) => message)).not.toContainEqual(expect.stringContaining("Attempt 2 of 2"));
  });
});

describe("a crash of a worker", () => {
  it("at any place leaves a transactional activity's rows once, with its result (I12)", async () => {
    let table!: Table;
    let executions = 0;
    const { reserve, order } = reserving(
      (run) => table.transaction(run),
      (tx) => (executions++, table.insert(tx, "row")),
    );
    const { logger } = recordingLogger();
    const crashes = await everyCrash(
      {
        workflows: [order],
        activities: [reserve],
        logger,
        storage: (clock) => {
          const storage = memory({ clock });
          table = new Table(storage);
          return storage;
        },
      },
      async (env) => {
        const run = await env.client.start(order, "pen");
        expect(await env.result(run)).toBe("real pen");
        expect(table.rows).toEqual(["row"]);
      },
    );
    // Scheduled, recorded in the transaction, completed: before each and after it.
    expect(crashes).toBe(6);
    expect(executions).toBeGreaterThan(9);
  });

  function reserved() {
    const clock = virtualClock();
    const storage = memory({ clock });
    const table = new Table(storage);
    const { reserve, order } = reserving(table.transaction, (tx) => table.insert(tx, "row"));
    const env = environment({ clock, storage, workflows: [order], activities: [reserve] });
    return { env, table, order };
  }

  it.each([{}, { recorded: true }])("after its code comes after its transaction, too: %o", async (options) => {
    const { env, table, order } = reserved();
    const crash = env.crashAfter("reserve", options);
    const run = await env.client.start(order, "pen");
    expect(await env.result(run)).toBe("real pen");
    expect(crash).toMatchObject({ happened: true, where: expect.stringContaining("after attempt 1") as string });
    expect(table).toMatchObject({ rows: ["row"], begun: 1 });
  });

  it("while its code runs has its transaction rolled back", async () => {
    const { env, table, order } = reserved();
    const crash = env.crashAt(2);
    const run = await env.client.start(order, "pen");
    await env.runUntilIdle();
    expect(crash.where).toContain("an activity's complete");
    expect(table).toMatchObject({ rows: [], begun: 1, ended: 1 });
    expect(await env.result(run)).toBe("real pen");
    expect(table).toMatchObject({ rows: ["row"], begun: 2, ended: 2 });
  });
});
