import { expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
const go = signal<number>("go");
it.each(CACHES)(
  "a fork from every place of a history of several generations comes to the same end, with %i runs kept in memory",
  async (cacheRuns) => {
    const kid = workflow({ name: "kid" }, (ctx) => ctx.waitFor(go));
    const loop = workflow({ name: "loop", state: { initial: { n: 0 } } }, async (ctx, n: number): Promise<unknown> => {
      ctx.state.set("n", n * 10);
      ctx.attributes.set({ ["g" + n]: n });
      if (n === 1) {
        const c = ctx.child(kid, undefined, { id: "kid" + ctx.runId });
        void c.then(
          () => {},
          () => {},
        );
        await ctx.sleep("1s");
      }
      const u = ctx.random() < 0.5 ? "x" : "y";
      await ctx.run("work" + u, () => n);
      const got = await ctx.waitFor(go);
      if (n < 3) return ctx.continueAsNew(n + 1);
      return [n, got, ctx.state.get("n"), await ctx.waitFor(go)];
    });
    const env = environment({ workflows: [loop, kid], cacheRuns });
    const run = await env.client.start(loop, 1, { attributes: { s: 1 } });
    for (let i = 1; i <= 5; i++) await run.signal(go, i);
    await env.skip("10s");
    const out = await run.result();
    expect(out).toEqual([3, 3, 30, 4]);
    const history = await run.history();
    for (let at = 2; at <= history.length; at++) {
      const fork = await run.fork({ beforeSeq: at, attributes: at % 2 ? { s: 2 } : { s: 1 } });
      const have = history.slice(0, at - 1).filter(({ type }) => type === "SIGNAL_RECEIVED").length;
      for (let i = have + 1; i <= 5; i++) await fork.signal(go, i);
      await env.skip("10s");
      expect(await fork.result().catch((e) => [at, e.failure ?? e])).toEqual(out);
      expect((await fork.describe()).attributes).toEqual({ s: at % 2 ? 2 : 1, g1: 1, g2: 2, g3: 3 });
      expect(await fork.state()).toEqual({ n: 30 });
    }
    const kids = (await env.client.list({ workflow: "kid" })).runs;
    expect(kids.length).toBeGreaterThan(0);
  },
);
