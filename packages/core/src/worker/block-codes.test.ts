import { describe, expect, it } from "vitest";
import { CACHES, environment, type TestedEnvironment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { claimOne } from "../../test/port.ts";
import type { StartOptions } from "../client/start.ts";
import type { RunHandle } from "../client/handle.ts";
import type { Codec } from "../codec/codec.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import { signal } from "../define/signal.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import type { BlockReason } from "../engine/block-reason.ts";
import { StorageError, UsageError } from "../errors/index.ts";
import { memory, virtualClock } from "../memory.ts";
import type { StorageBackend, WorkflowCommit } from "../storage.ts";

const go = signal<string>("go");

function order(activity: string, after: () => Promise<unknown> = async () => null): AnyWorkflow {
  return workflow({ name: "order" }, async (ctx) => {
    await ctx.run(activity, () => 1);
    const first = await ctx.waitFor(go);
    await after();
    return [first, await ctx.waitFor(go)];
  });
}

const good = order("charge");
const wrongCodec: Codec = {
  ...jsonCodec,
  decode() {
    throw new StorageError("corrupt", "That is not ours.");
  },
};

/** What a worker has that cannot carry the run on. */
interface Cause {
  readonly workflows?: readonly AnyWorkflow[];
  readonly codec?: Codec;
  readonly maxDeliveries?: number;
  readonly storage?: (storage: StorageBackend) => StorageBackend;
  /** Workers that die of it first. */
  readonly deaths?: number;
}

const CAUSES: Readonly<Record<BlockReason["code"], Cause>> = {
  determinism: { workflows: [order("bill")] },
  "non-durable-await": { workflows: [order("charge", () => new Promise(() => {}))] },
  unreadable: { codec: wrongCodec },
  refused: {
    storage: (storage) =>
      intercepted(storage, {
        commitTasks: (call, [commits]) =>
          (commits as readonly WorkflowCommit[]).some(({ events }) => events.length > 0)
            ? Promise.reject(new UsageError("payload-too-large", "Too large."))
            : call(),
      }),
  },
  poisoned: { deaths: 2, maxDeliveries: 2 },
};

const CASES = CACHES.flatMap((cacheRuns) =>
  (Object.keys(CAUSES) as BlockReason["code"][]).map((code) => [code, cacheRuns] as const),
);

describe.each(CASES)("a run that is blocked as %s, with %i runs kept in memory", (code, cacheRuns) => {
  /** A run that waits for its second signal, and has the first one in its inbox where it could not be taken. */
  async function blocked(options: StartOptions = {}): Promise<{
    readonly run: RunHandle;
    readonly mended: TestedEnvironment;
    readonly broken: TestedEnvironment;
    readonly other: TestedEnvironment;
  }> {
    const { deaths = 0, storage: through = (same: StorageBackend) => same, ...worker } = CAUSES[code];
    const clock = virtualClock();
    const storage = memory({ clock });
    const mended = environment({ workflows: [good], cacheRuns, storage, clock });
    const broken = environment({
      workflows: [good],
      ...worker,
      cacheRuns,
      storage: through(storage),
      clock,
      seed: "broken",
      replays: false,
    });
    const nobody = workflow({ name: "nobody" }, async () => null);
    const other = environment({ workflows: [nobody], storage, clock, seed: "other" });
    const run = await mended.client.start(good, undefined, { id: "run", ...options });
    await mended.runUntilIdle();
    await run.signal(go, "one");
    for (let death = 1; death <= deaths; death++) {
      await claimOne(storage, { handlers: { workflows: ["order"], activities: [] } });
      clock.advance(10_000);
    }
    await broken.runUntilIdle();
    return { run, mended, broken, other };
  }

  it("says so in describe and in lists, and in the log", async () => {
    const { run, mended, broken } = await blocked();
    const description = await run.describe();
    expect(description).toMatchObject({ status: "suspended", blocked: { code, tries: 1 } });
    expect(description.why).toContain(`It is blocked (${code})`);
    const { runs } = await mended.client.list({ blocked: true });
    expect(runs).toMatchObject([{ runId: "run", blocked: description.blocked }]);
    expect((await mended.client.list({ blocked: false })).runs).toEqual([]);
    const message = description.blocked!.message;
    expect(message).toContain('Run "run" of workflow "order"');
    expect(broken.logs).toContainEqual(
      expect.objectContaining({ message, fields: { workflow: "order", runId: "run", code } }),
    );
    await run.terminate();
  });

  it("comes back by itself and goes on with all its messages in order (I9, I18)", async () => {
    const { run, mended, broken } = await blocked();
    const before = (await run.history()).length;
    await run.signal(go, "two");
    await broken.skip("2s");
    expect((await run.describe()).blocked).toMatchObject({ code, tries: code === "poisoned" ? 1 : 3 });
    // Code that had not left its history yet has taken the message.
    expect(await run.history()).toHaveLength(code === "non-durable-await" ? before + 1 : before);
    if (code === "poisoned") {
      await mended.skip("30d");
      expect((await run.describe()).blocked?.code).toBe("poisoned");
      await run.unblock();
      await mended.runUntilIdle();
    } else await mended.skip("1s");
    expect(await run.result()).toEqual(["one", "two"]);
    expect((await mended.client.list({ blocked: true })).runs).toEqual([]);
  });

  it("comes back at once when somebody calls unblock, and counts anew", async () => {
    const { run, mended, broken } = await blocked();
    await broken.skip("1s");
    expect(await run.unblock()).toBe(true);
    expect(await run.unblock()).toBe(false);
    if (code !== "poisoned") {
      await broken.runUntilIdle();
      expect((await run.describe()).blocked).toMatchObject({ code, tries: 1 });
      await run.unblock();
    }
    await run.signal(go, "two");
    await mended.runUntilIdle();
    expect(await run.result()).toEqual(["one", "two"]);
  });

  it("times out at its deadline, whoever is there to see it", async () => {
    const { run, broken, other } = await blocked({ timeout: "1h" });
    await broken.skip("30m");
    await other.skip("31m");
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "timed-out" } });
    expect((await run.describe()).blocked).toBeNull();
  });

  it("is cancelled when its code can clean up again", async () => {
    const { run, mended, broken } = await blocked();
    await run.cancel({ reason: "no" });
    await broken.runUntilIdle();
    expect((await run.describe()).blocked?.code).toBe(code);
    if (code === "poisoned") await run.unblock();
    await mended.skip("1s");
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "no" });
  });

  it("is terminated at once, with what it was sent in its history", async () => {
    const { run, mended } = await blocked();
    await run.signal(go, "two");
    await run.terminate({ reason: "enough" });
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "enough" });
    const types = (await run.history()).map(({ type }) => type);
    expect(types.filter((type) => type === "SIGNAL_RECEIVED")).toHaveLength(2);
    expect(types.at(-1)).toBe("WORKFLOW_CANCELLED");
    expect((await mended.client.list({ blocked: true })).runs).toEqual([]);
  });
});
