import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { type Intercept, intercepted } from "../../test/intercepted.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { cancelMessage } from "../engine/inbox-message.ts";
import { memory, virtualClock } from "../memory.ts";
import type { WorkflowCommit } from "../storage.ts";

const go = signal<string>("go");

describe("a run that is ended without its code", () => {
  it("before its start was due: its events do not go back in time", async () => {
    const definition = workflow({ name: "definition" }, (ctx) => ctx.sleep("1h"));
    const env = environment({ workflows: [definition] });
    for (const end of ["terminate", "cancel"] as const) {
      const run = await env.client.start(definition, undefined, { startAt: "1d" });
      await run.signal(go, "early");
      await run[end]();
      await env.runUntilIdle();
      const times = (await run.history()).map(({ at }) => at);
      expect(times.length).toBeGreaterThan(2);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
  });

  it("by a holder that dies between two commits: the next one ends it all the same, and records each signal once (I18)", async () => {
    const definition = workflow({ name: "definition" }, (ctx) => ctx.sleep("1h"));
    for (const lost of [1, 2, 3]) {
      const clock = virtualClock();
      const store = memory({ clock });
      let commits = 0;
      const info = { ...store.info, limits: { ...store.info.limits, eventsPerCommit: 3 } };
      const commitTasks: Intercept["commitTasks"] = async (call, [batch]) => {
        const results = await call();
        const isPart = (batch as readonly WorkflowCommit[]).some(({ events }) => events.some(isSignal));
        return isPart && ++commits === lost ? results.map(() => ({ status: "lease-lost" }) as const) : results;
      };
      const env = environment({ workflows: [definition], clock, storage: intercepted(store, { commitTasks }, info) });
      const run = await env.client.start(definition, undefined, { startAt: "1m" });
      await run.signal(go, "before");
      const data = cancelMessage(jsonCodec, "terminate", "enough");
      await store.deliver([{ runId: run.runId, dedupeId: "terminate", external: true, data }]);
      for (const n of [1, 2, 3, 4, 5]) await run.signal(go, `after ${n}`);
      await env.skip("5m");
      await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "enough" });
      const received = (await run.history()).flatMap(({ type, data: seen }) =>
        type === "SIGNAL_RECEIVED" ? [seen.payload] : [],
      );
      expect(received).toEqual(["before", ...[1, 2, 3, 4, 5].map((n) => `after ${n}`)]);
      expect(commits).toBeGreaterThanOrEqual(lost);
    }
  });
});

function isSignal({ type }: { readonly type: string }): boolean {
  return type === "SIGNAL_RECEIVED";
}
