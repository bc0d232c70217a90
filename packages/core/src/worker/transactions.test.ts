import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { gate, intercepted } from "../../test/intercepted.ts";
import { reserving, shop } from "../../test/shop.ts";
import { Table } from "../../test/table.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import type { RunInTransaction } from "../define/activity-context.ts";
import { workflow } from "../define/workflow.ts";
import { NonRetryableError } from "../errors/index.ts";
import { memory, type MemoryTransaction, virtualClock } from "../memory.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { StorageBackend } from "../storage.ts";
import { createWorker } from "./worker.ts";

function typesOf(history: readonly WorkflowEvent[]): readonly string[] {
  return history.map(({ type }) => type);
}

describe.each(CACHES)("a transactional activity, with %i runs kept in memory", (cacheRuns) => {
  it("is an activity task, also where its run is held, and its rows and its result come together", async () => {
    const { clock, storage, table } = shop();
    const seen: unknown[] = [];
    const { reserve, order } = reserving({ table }, async () => {
      seen.push(...table.rows, (await storage.getRun("o-1"))!.task!.unread);
      return "reserved";
    });
    const env = environment({ clock, storage, workflows: [order], activities: [reserve], concurrency: 1, cacheRuns });
    const run = await env.client.start(order, "a row", { id: "o-1" });
    await env.runUntilIdle();
    expect(await run.result()).toBe("reserved");
    expect(seen).toEqual([0]);
    expect(table.rows).toEqual(["a row"]);
    const history = await run.history();
    expect(typesOf(history)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_SCHEDULED",
      "ACTIVITY_COMPLETED",
      "WORKFLOW_COMPLETED",
    ]);
    expect(history[1]!.data).toEqual({ activity: "reserve", where: "task", queue: "default", input: "a row" });
    expect(history[2]!.data).toEqual({ activity: "reserve", attempt: 1, output: "reserved" });
  });

  it("leaves nothing of an attempt that fails, and is tried again", async () => {
    const { clock, storage, table } = shop();
    const { reserve, order } = reserving({ table }, ({ attempt }) => {
      if (attempt < 3) throw new Error(`deadlock ${attempt}`);
      return attempt;
    });
    const env = environment({ clock, storage, workflows: [order], activities: [reserve], cacheRuns });
    const run = await env.client.start(order, "a row");
    await env.runUntilIdle();
    expect(table.rows).toEqual([]);
    expect(await env.result(run)).toBe(3);
    expect(table).toMatchObject({ rows: ["a row"], begun: 3 });
    expect((await run.history())[2]).toMatchObject({ type: "ACTIVITY_COMPLETED", data: { attempt: 3 } });
  });

  it("fails after its last attempt, and leaves nothing", async () => {
    const { clock, storage, table } = shop();
    const { reserve, order } = reserving({ table }, () => {
      throw new Error("no stock");
    });
    const env = environment({ clock, storage, workflows: [order], activities: [reserve], cacheRuns });
    const run = await env.client.start(order, "a row");
    await expect(env.result(run)).rejects.toMatchObject({ failure: { cause: { message: "no stock" } } });
    expect(table).toMatchObject({ rows: [], begun: 3 });
  });

  it("waits for a worker that lists it, whoever holds its run", async () => {
    const { clock, storage, table } = shop();
    const { reserve, order } = reserving({ table });
    const env = environment({ clock, storage, workflows: [order], cacheRuns });
    const run = await env.client.start(order, "a row");
    await env.runUntilIdle();
    const described = await run.describe();
    expect(described).toMatchObject({
      status: "suspended",
      currentActivities: [{ name: "reserve", attempt: 1, queue: "default" }],
    });
    expect(described.why).toContain('activity "reserve" from a worker that serves queue "default" and lists it');
    running(env, { activities: [reserve] });
    await pass(env, "1s");
    await env.runUntilIdle();
    expect(await run.result()).toBe("reserved");
  });

  it("goes to its own queue, if it has one", async () => {
    const { clock, storage, table } = shop();
    const { transaction } = table;
    const reserve = activity({ name: "reserve", queue: "shop", transaction }, async (row: string, { tx }) => {
      table.insert(tx, row);
    });
    const order = workflow({ name: "order" }, (ctx, row: string) => ctx.run(reserve, row));
    const queues = ["default", "shop"];
    const env = environment({ clock, storage, workflows: [order], activities: [reserve], queues, cacheRuns });
    const run = await env.client.start(order, "a row");
    await env.runUntilIdle();
    expect(await run.result()).toBeUndefined();
    expect((await run.history())[1]).toMatchObject({ data: { where: "task", queue: "shop" } });
    expect(table.rows).toEqual(["a row"]);
  });

  it("goes on as a task where attempts were made in process before it became transactional", async () => {
    const { clock, storage, table } = shop();
    const { reserve, order } = reserving({ table });
    const plain = activity({ name: "reserve", retry: { delay: "1h" } }, async (): Promise<unknown> => {
      throw new Error("no stock");
    });
    const before = workflow({ name: "order" }, (ctx) => ctx.run(plain, "a row"));
    const env = environment({ clock, storage, workflows: [before], cacheRuns, replays: false });
    const run = await env.client.start(order, "a row");
    await env.runUntilIdle();
    await env.restart({ workflows: [order], activities: [reserve] });
    expect(await env.result(run)).toBe("reserved");
    expect(typesOf(await run.history())).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_RETRYING",
      "ACTIVITY_SCHEDULED",
      "ACTIVITY_COMPLETED",
      "WORKFLOW_COMPLETED",
    ]);
    expect(table.rows).toEqual(["a row"]);
  });
});

describe("the user's function that makes transactions", () => {
  async function outcome(
    transaction: RunInTransaction<MemoryTransaction>,
    shopped = shop(),
    code: Parameters<typeof reserving>[1] = ({ attempt }) => attempt,
  ): Promise<unknown> {
    const { clock, storage, table } = shopped;
    const { reserve, order } = reserving({ table }, code, { transaction });
    const env = environment({ clock, storage, workflows: [order], activities: [reserve] });
    const run = await env.client.start(order, "a row");
    return env.result(run).catch((error: { failure: { cause: unknown } }) => error.failure.cause);
  }

  it("may try again by itself, after a roll-back", async () => {
    const shopped = shop();
    const { table } = shopped;
    const transaction: RunInTransaction<MemoryTransaction> = async (run) => {
      await table.transaction(async (tx) => (await run(tx), Promise.reject(new Error("deadlock")))).catch(() => {});
      return table.transaction(run);
    };
    expect(await outcome(transaction, shopped)).toBe(1);
    expect(table).toMatchObject({ rows: ["a row"], begun: 2 });
  });

  it("is told when the attempt is over, and executes nothing more", async () => {
    const shopped = shop();
    const { table } = shopped;
    const [began, resume] = [gate(), gate()];
    let executions = 0;
    const stubborn: RunInTransaction<MemoryTransaction> = (run) =>
      table.transaction(run).catch(() => table.transaction(run));
    const { reserve, order } = reserving(
      shopped,
      async ({ attempt }) => {
        executions++;
        if (attempt > 1) return "again";
        began.open();
        await resume.passed;
        throw new Error("deadlock");
      },
      { transaction: stubborn, timeout: 1_000 },
    );
    const { clock, storage } = shopped;
    const env = environment({ clock, storage, workflows: [order], activities: [reserve] });
    const run = await env.client.start(order, "a row");
    const outcome = env.result(run);
    await began.passed;
    await outcome;
    resume.open();
    await env.runtime.calm();
    expect(await outcome).toBe("again");
    expect(table).toMatchObject({ rows: ["a row"], begun: 3, ended: 3 });
    expect(executions).toBe(2);
  });

  it("may dress up errors: what the code threw decides about the next attempt", async () => {
    const { clock, storage, table } = shop();
    const transaction: RunInTransaction<MemoryTransaction> = (run) =>
      table.transaction(run).catch((error: unknown) => Promise.reject(new Error("rolled back", { cause: error })));
    const { reserve, order } = reserving(
      { table },
      () => {
        throw new NonRetryableError("sold out");
      },
      { transaction },
    );
    const env = environment({ clock, storage, workflows: [order], activities: [reserve] });
    const run = await env.client.start(order, "a row");
    await expect(env.result(run)).rejects.toMatchObject({
      failure: { cause: { name: "NonRetryableError", message: "sold out" } },
    });
    expect(table.begun).toBe(1);
  });

  it("must call what it is given, await it, and pass its errors on", async () => {
    const misused = { name: "UsageError", code: "invalid-argument" };
    expect(await outcome(async () => undefined as never)).toMatchObject({
      ...misused,
      message: expect.stringContaining("await it: (run) => db.transaction().execute(run)") as string,
    });
    const shopped = shop();
    const { table } = shopped;
    const late: RunInTransaction<MemoryTransaction> = (run) =>
      table.transaction(async (tx) => void run(tx).catch(() => {})) as never;
    const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    expect(await outcome(late, shopped, turn)).toMatchObject(misused);
    const other = shop();
    const swallowing: RunInTransaction<MemoryTransaction> = (run) =>
      other.table.transaction(run).catch(() => undefined as never);
    const soldOut = (): never => {
      throw new NonRetryableError("sold out");
    };
    expect(await outcome(swallowing, other, soldOut)).toMatchObject({ message: "sold out" });
  });

  it("must give a transaction of the storage's own database: any other is refused, as is one that the database has ended", async () => {
    const shopped = shop();
    const elsewhere = new Table(memory());
    let begun = 0;
    const transaction: RunInTransaction<MemoryTransaction> = (run) => {
      begun++;
      return elsewhere.transaction((tx) => (shopped.table.adopt(tx), run(tx)));
    };
    expect(await outcome(transaction, shopped)).toMatchObject({
      name: "UsageError",
      message: expect.stringContaining("no open transaction of this memory storage") as string,
    });
    expect(begun).toBe(3);
  });
});

describe("the context of a transactional activity", () => {
  it("has no checkpoints: they would outlast a roll-back", async () => {
    const { clock, storage: inner, table } = shop();
    let reads = 0;
    const storage = intercepted(inner, { readCache: (call) => (reads++, call()) });
    const { reserve, order } = reserving({ table }, async (context) => {
      await (context as unknown as { checkpoint(value: unknown): Promise<void> }).checkpoint(1);
    });
    const env = environment({ clock, storage, workflows: [order], activities: [reserve] });
    const run = await env.client.start(order, "a row");
    await expect(env.result(run)).rejects.toMatchObject({
      failure: { cause: { code: "invalid-argument", message: expect.stringContaining("no checkpoints") as string } },
    });
    expect(table.begun).toBe(3);
    expect(reads).toBe(0);
    const key = `checkpoint:${(await storage.getRun(run.runId))!.incarnation}-0-1`;
    expect(await storage.readCache([key])).toEqual([undefined]);
  });

  it("has everything else", async () => {
    const { clock, storage, table } = shop();
    const { transaction } = table;
    const tell = activity({ name: "tell", transaction }, async (_: unknown, context) => {
      context.heartbeat();
      context.logger.info("told");
      const { runId, workflow: name, name: itself, attempt, idempotencyKey, signal } = context;
      return [runId, name, itself, attempt, idempotencyKey.length > 10, signal.aborted];
    });
    const order = workflow({ name: "order" }, (ctx) => ctx.run(tell, undefined));
    const env = environment({ clock, storage, workflows: [order], activities: [tell] });
    const run = await env.client.start(order, undefined, { id: "o-1" });
    expect(await env.result(run)).toEqual(["o-1", "order", "tell", 1, true, false]);
    expect(env.logs).toContainEqual(expect.objectContaining({ message: "told" }));
  });
});

describe("on a storage that cannot join transactions", () => {
  function undeclared(clock = virtualClock()): StorageBackend {
    const storage = memory({ clock });
    const { info } = storage;
    const capabilities = { ...info.capabilities, transactions: ["createRuns", "deliver"] as const };
    return intercepted(storage, {}, { ...info, capabilities });
  }

  it("a worker that lists a transactional activity does not begin to work", async () => {
    const { reserve, order } = reserving(shop());
    const unsupported = {
      code: "unsupported",
      message: expect.stringContaining('Activity "reserve" is transactional, and storage "memory" cannot') as string,
    };
    const worker = createWorker({ storage: undeclared(), workflows: [order], activities: [reserve] });
    await expect(worker.run()).rejects.toMatchObject(unsupported);
    await expect(worker.runOnce()).rejects.toMatchObject(unsupported);
    await expect(worker.runUntilIdle()).rejects.toMatchObject(unsupported);
    const other = createWorker({ storage: undeclared(), workflows: [order] });
    await expect(other.runUntilIdle()).resolves.toBeUndefined();
  });
});
