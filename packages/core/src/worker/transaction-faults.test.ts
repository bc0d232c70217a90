import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { gate, intercepted, unavailable } from "../../test/intercepted.ts";
import { reserving, shop } from "../../test/shop.ts";
import { pass, running } from "../../test/workers.ts";
import { activity } from "../define/activity.ts";
import type { RunInTransaction } from "../define/activity-context.ts";
import { workflow } from "../define/workflow.ts";
import type { MemoryTransaction } from "../memory.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { Schema } from "../model/schema.ts";
import type { RenewResult } from "../storage.ts";

function typesOf(history: readonly WorkflowEvent[]): readonly string[] {
  return history.map(({ type }) => type);
}

describe("a transaction whose commit fails", () => {
  async function play(fail: (commit: () => Promise<unknown>) => Promise<void>) {
    const { clock, storage, table } = shop();
    let executions = 0;
    let transactions = 0;
    const transaction: RunInTransaction<MemoryTransaction> = async (run) => {
      if (++transactions === 1) await fail(() => table.transaction(run));
      return table.transaction(run);
    };
    const { reserve, order } = reserving({ table }, () => ++executions, { transaction });
    const env = environment({ clock, storage, workflows: [order], activities: [reserve] });
    const run = await env.client.start(order, "a row");
    expect(await env.result(run)).toBe(executions);
    expect(table.rows).toEqual(["a row"]);
    return { executions, types: typesOf(await run.history()) };
  }

  it("after it was committed all the same is not repeated: the failed attempt's end is refused", async () => {
    const { executions } = await play(async (commit) => {
      await commit();
      throw new Error("connection lost during COMMIT");
    });
    expect(executions).toBe(1);
  });

  it("and was not committed is a failed attempt", async () => {
    const { executions, types } = await play(async () => {
      throw new Error("connection lost before COMMIT");
    });
    expect(executions).toBe(1);
    expect(types).toHaveLength(4);
  });

  it("and was rolled back after the result was written in it is a failed attempt", async () => {
    const { clock, storage, table } = shop();
    const transaction: RunInTransaction<MemoryTransaction> = (run) =>
      table.transaction(async (tx) => {
        const answer = await run(tx);
        if (table.begun === 1) throw new Error("could not serialize access");
        return answer;
      });
    const { reserve, order } = reserving({ table }, ({ attempt }) => attempt, { transaction });
    const env = environment({ clock, storage, workflows: [order], activities: [reserve] });
    const run = await env.client.start(order, "a row");
    expect(await env.result(run)).toBe(2);
    expect(table).toMatchObject({ rows: ["a row"], begun: 2 });
    expect(env.logs.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("could not serialize access. The next is due in 1000 ms."),
    );
  });
});

describe("a transaction whose commit takes long", () => {
  it("holds up nobody else: its task is not renewed with theirs, and what is written for it goes alone", async () => {
    const { clock, storage: inner, table } = shop();
    const [written, resume, ended] = [gate(), gate(), gate()];
    const renewed = new Set<string>();
    let waiting = 0;
    const storage = intercepted(inner, {
      renewLeases: (call, [claims]) => {
        for (const { runId } of claims) renewed.add(runId);
        return call();
      },
      // Whatever touches the task waits for the transaction.
      commitTasks: async (call, [commits, options]) => {
        if (options?.tx === undefined && commits.some(({ kind }) => kind === "activity")) {
          waiting++;
          await ended.passed;
        }
        return call();
      },
    });
    const transaction: RunInTransaction<MemoryTransaction> = async (run) => {
      const answer = await table.transaction(async (tx) => {
        const result = await run(tx);
        written.open();
        await resume.passed;
        return result;
      });
      ended.open();
      return answer;
    };
    const { reserve, order } = reserving({ table }, () => "reserved", { transaction, timeout: 5_000 });
    const other = workflow({ name: "other" }, async (ctx) => {
      await ctx.run("wait", () => new Promise<void>((resolve) => void env.runtime.after(30_000, resolve)));
      return ctx.run("more", () => "done");
    });
    const env = environment({ clock, storage, workflows: [] });
    running(env, { workflows: [order, other], activities: [reserve], storage, lease: "60s" });
    const run = await env.client.start(order, "a row", { id: "order" });
    await env.runtime.calm();
    await written.passed;
    const beside = await env.client.start(other, undefined, { id: "other" });
    await pass(env, "50s");
    expect(waiting).toBe(1);
    expect(await beside.result()).toBe("done");
    expect([...renewed]).toEqual(["other"]);
    resume.open();
    await pass(env, "5s");
    expect(await run.result()).toBe("reserved");
    expect(table).toMatchObject({ rows: ["a row"], begun: 1 });
  });
});

describe("the record of a transactional activity's result", () => {
  it("is written alone, in its transaction, and not repeated when the storage fails", async () => {
    const { clock, storage: inner, table } = shop();
    const calls: [count: number, isOurs: boolean][] = [];
    let current: MemoryTransaction | null = null;
    const storage = intercepted(inner, {
      commitTasks: async (call, [commits, options]) => {
        if (options?.tx === undefined) return call();
        calls.push([commits.length, options.tx === current]);
        if (calls.length === 1) throw unavailable();
        return call();
      },
    });
    const transaction: RunInTransaction<MemoryTransaction> = (run) =>
      table.transaction((tx) => {
        current = tx;
        return run(tx);
      });
    const { reserve, order } = reserving({ table }, ({ attempt }) => attempt, { transaction });
    const env = environment({ clock, storage, workflows: [order], activities: [reserve] });
    const run = await env.client.start(order, "a row");
    expect(await env.result(run)).toBe(2);
    expect(calls).toEqual([
      [1, true],
      [1, true],
    ]);
    expect(table.rows).toEqual(["a row"]);
  });

  it("is refused to a worker that has lost the task, and everything is rolled back (I6)", async () => {
    const { clock, storage, table } = shop();
    const [began, resume] = [gate(), gate()];
    const slow = reserving({ table }, async () => {
      began.open();
      await resume.passed;
    });
    const { reserve, order } = reserving({ table }, () => "by the other");
    const env = environment({ clock, storage, workflows: [order] });
    // Nothing is renewed, and it does not notice.
    const deceived = intercepted(storage, {
      renewLeases: async (_, [claims]) => {
        const held = { status: "held", now: clock.now(), leaseUntil: clock.now() + 15_000, inboxLast: 0, messages: [] };
        return claims.map(() => held as Extract<RenewResult, { status: "held" }>);
      },
    });
    running(env, { activities: [slow.reserve], storage: deceived, concurrency: 1 });
    const run = await env.client.start(order, "a row");
    await env.runUntilIdle();
    await began.passed;
    running(env, { activities: [reserve] });
    await pass(env, "20s");
    await env.runUntilIdle();
    expect(await run.result()).toBe("by the other");
    expect(table).toMatchObject({ rows: ["a row"], begun: 2 });
    resume.open();
    await pass(env, "1s");
    expect(table.rows).toEqual(["a row"]);
    const warnings = env.logs.filter(({ fields }) => fields["code"] === "attempt-failed");
    expect(warnings).toEqual([]);
  });

  it.each(["timed out", "lost its lease", "was cancelled"])(
    "is not written by an attempt that %s before its code came to its end",
    async (what) => {
      const { clock, storage, table } = shop();
      const [began, resume] = [gate(), gate()];
      const reasons: unknown[] = [];
      const { reserve, order } = reserving(
        { table },
        async ({ attempt, signal }) => {
          if (attempt > 1 || table.begun > 1) return "again";
          signal.addEventListener("abort", () => reasons.push((signal.reason as Error).name));
          began.open();
          await resume.passed;
          return "too late";
        },
        what === "timed out" ? { timeout: 5_000 } : {},
      );
      let isDeaf = what === "lost its lease";
      let recorded = 0;
      const flaky = intercepted(storage, {
        renewLeases: (call) => (isDeaf ? new Promise(() => {}) : call()),
        commitTasks: (call, [, options]) => {
          if (options?.tx !== undefined) recorded++;
          return call();
        },
      });
      const env = environment({ clock, storage, workflows: [order] });
      running(env, { activities: [reserve], storage: flaky });
      const run = await env.client.start(order, "a row");
      await env.runUntilIdle();
      await began.passed;
      if (what === "was cancelled") await run.cancel();
      await env.runUntilIdle();
      await pass(env, "20s");
      isDeaf = false;
      resume.open();
      if (what === "was cancelled") {
        await expect(env.result(run)).rejects.toMatchObject({ code: "run-cancelled" });
        expect(table).toMatchObject({ rows: [], begun: 1 });
      } else {
        if (what === "lost its lease") running(env, { activities: [reserve] });
        await pass(env, "30s");
        await env.runUntilIdle();
        expect(await run.result()).toBe("again");
        expect(table).toMatchObject({ rows: ["a row"], begun: 2 });
      }
      // The one that was over did not even try.
      expect(recorded).toBeLessThanOrEqual(table.rows.length);
      expect(reasons).toEqual([what === "timed out" ? "TimedOutError" : "CancelledError"]);
    },
  );

  it("and everything else is rolled back when a result is refused", async () => {
    const { clock, storage, table } = shop();
    const { transaction } = table;
    const refusing: Schema<unknown, number> = {
      "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "not a number" }] }) },
    };
    const results = {
      "invalid-input": activity({ name: "schema", transaction, output: refusing }, async (row: string, { tx }) => {
        table.insert(tx, row);
        return 1;
      }),
      "not-serializable": activity({ name: "function", transaction }, async (row: string, { tx }) => {
        table.insert(tx, row);
        return (() => {}) as unknown as number;
      }),
    };
    const failing = workflow({ name: "failing" }, async (ctx) => {
      const codes: unknown[] = [];
      for (const one of Object.values(results)) {
        await ctx.run(one, "a row").catch((error: Error) => codes.push((error.cause as { code?: string }).code));
      }
      return codes;
    });
    const activities = Object.values(results);
    const env = environment({ clock, storage, workflows: [failing], activities });
    const run = await env.client.start(failing, undefined);
    expect(await env.result(run)).toEqual(Object.keys(results));
    expect(table).toMatchObject({ rows: [], begun: 2 });
  });
});
