import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";

const go = signal<string>("go");
const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));

describe("client.list", () => {
  it("pages through runs with equal times, each once (I19)", async () => {
    const env = environment({ workflows: [wait] });
    const started = await env.client.startMany(
      Array.from({ length: 5 }, () => ({ definition: wait, input: undefined })),
    );
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof env.client.list>> = await env.client.list({}, { limit: 2, cursor });
      expect(page.runs.length).toBeLessThanOrEqual(2);
      seen.push(...page.runs.map(({ runId }) => runId));
      ({ cursor } = page);
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(started.map(({ runId }) => runId).toSorted());
  });

  it("filters by status, workflow, queue and time", async () => {
    const other = workflow({ name: "other", queue: "slow" }, async () => {});
    const env = environment({ workflows: [wait, other], queues: ["default", "slow"] });
    const startedAt = new Date(env.clock.now());
    const waiting = await env.client.start(wait, undefined);
    env.clock.advance(1_000);
    const done = await env.client.start(other, undefined);
    await env.runUntilIdle();
    const ids = async (filter: Parameters<typeof env.client.list>[0]): Promise<string[]> =>
      (await env.client.list(filter)).runs.map(({ runId }) => runId);
    expect(await ids({ status: "completed" })).toEqual([done.runId]);
    expect(await ids({ status: ["open", "failed"] })).toEqual([waiting.runId]);
    expect(await ids({ workflow: "other" })).toEqual([done.runId]);
    expect(await ids({ queue: "default" })).toEqual([waiting.runId]);
    expect(await ids({ createdAfter: new Date(startedAt.getTime() + 1) })).toEqual([done.runId]);
    expect(await ids({ createdBefore: new Date(startedAt.getTime() + 1) })).toEqual([waiting.runId]);
    expect((await env.client.list({ workflow: "wait" })).runs[0]).toMatchObject({
      status: "suspended",
      blocked: null,
      createdAt: startedAt,
      closedAt: null,
    });
  });

  it("refuses a page of no size and a cursor that is not ours", async () => {
    const env = environment({ workflows: [] });
    for (const page of [{ limit: 0 }, { limit: 1_001 }, { limit: 1.5 }, { cursor: "made up" }]) {
      await expect(env.client.list({}, page)).rejects.toMatchObject({ code: "invalid-argument" });
    }
  });
});
