import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";

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
});
