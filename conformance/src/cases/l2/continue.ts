import { signal, workflow } from "@perdure/core";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

const GENERATIONS = 4;

interface Progress {
  readonly generation: number;
  readonly sum: number;
}

const go = signal<number>("go");
const stay = signal<string>("stay");

export const continueCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.continue-as-new",
    invariants: ["I1", "I12", "I13", "I18"],
    scenarios: ["S17"],
    why: "A run without an end begins anew as often as it likes: one id, one handle, one result, and no message is lost on the way.",
    hint: "Is `baseSeq` stored with the commit that continues, and do a claim's events and reads begin after it?",
    async play(lab) {
      const executed: number[] = [];
      const definition = workflow(
        { name: "endless", queue: lab.queue, state: { initial: { turns: 0 } } },
        async (ctx, { generation, sum }: Progress): Promise<Progress> => {
          const begun = await ctx.run("count", () => executed.push(generation));
          ctx.state.set("turns", begun);
          const next = sum + (await ctx.waitFor(go));
          await ctx.sleep(10);
          if (generation === GENERATIONS) return { generation, sum: next };
          return ctx.continueAsNew({ generation: generation + 1, sum: next });
        },
      );
      const first = await lab.work([definition]);
      const run = await lab.start(definition, { generation: 1, sum: 0 });
      const result = lab.output(run);
      // Whatever fails first is told.
      result.catch(() => {});
      await Promise.race([lab.parked(run, "ACTIVITY_COMPLETED", 1), result]);
      for (const n of [1, 2]) await run.signal(go, n, { id: `go-${n}` });
      const begins = async (): Promise<boolean> => {
        check(executed.length <= GENERATIONS, "no generation is executed again (I13)");
        return (await run.describe()).generation === 3;
      };
      await Promise.race([lab.until("the third generation begins", begins), result]);
      await Promise.race([lab.parked(run, "ACTIVITY_COMPLETED", 3), result]);
      await first.die();
      await lab.work([definition]);
      for (const n of [1, 2, 3, 4]) await run.signal(go, n, { id: `go-${n}` });
      equal(await result, { generation: GENERATIONS, sum: 10 }, "a handle answers the result of the last generation");
      equal(executed, [1, 2, 3, 4], "each generation is executed once (I13)");
      equal(await run.state(), { turns: GENERATIONS }, "the state is that of the last generation");
      const history = await run.history();
      equal(
        history.flatMap((event) => (event.type === "WORKFLOW_CONTINUED_AS_NEW" ? [event.data.generation] : [])),
        [2, 3, 4],
        "one history has all generations (I1)",
      );
      const { baseSeq } = (await lab.storage.getRun(run.runId))!;
      equal(
        history[baseSeq]?.data,
        history.findLast(({ type }) => type === "WORKFLOW_CONTINUED_AS_NEW")?.data,
        "replay starts with the last one",
      );
    },
  }),
  bothWays({
    id: "replay.continue-as-new-keeps-what-is-owed",
    invariants: ["I11", "I17", "I18"],
    why: "What a generation leaves open, the next ones owe: a buffered signal, the children's end, a request to cancel.",
    hint: "Are events before `baseSeq` still there to be read?",
    async play(lab) {
      const { queue, mode } = lab;
      const ends: string[] = [];
      const kid = workflow({ name: "kid", queue }, async (ctx) => {
        try {
          return await ctx.waitFor(stay);
        } finally {
          await ctx.run("end", () => void ends.push(ctx.cancelled ? "cancelled" : "left alone"));
        }
      });
      const definition = workflow({ name: "endless", queue }, async (ctx, generation: number): Promise<string> => {
        if (generation === 1) {
          void ctx.child(kid, undefined, { id: `${mode}-told` });
          void ctx.child(kid, undefined, { id: `${mode}-abandoned`, parentClose: "abandon" });
        }
        await ctx.waitFor(go);
        if (generation < 3) return ctx.continueAsNew(generation + 1);
        return ctx.waitFor(stay);
      });
      const first = await lab.work([definition, kid]);
      const run = await lab.start(definition, 1);
      const [told, abandoned] = [`${mode}-told`, `${mode}-abandoned`].map((id) => lab.client.handle(id));
      const result = lab.output(run);
      // Whatever fails first is told.
      result.catch(() => {});
      await lab.parked(run, "SIGNAL_AWAITED");
      for (const child of ["told", "abandoned"]) {
        await lab.until(
          `child "${child}" is created`,
          async () => (await lab.storage.getRun(`${mode}-${child}`)) !== undefined,
        );
      }
      for (const child of [told!, abandoned!]) await lab.parked(child, "SIGNAL_AWAITED");
      await run.signal(stay, "kept");
      await run.signal(go, 1);
      const continued = (generation: number): Promise<unknown> => {
        const isThere = async (): Promise<boolean> => (await run.describe()).generation === generation;
        return Promise.race([lab.until(`generation ${generation} has begun`, isThere), result]);
      };
      await continued(2);
      await Promise.race([lab.parked(run, "SIGNAL_AWAITED"), result]);
      await first.die();
      await lab.work([definition, kid]);
      await run.signal(go, 2);
      // Else the last signal is recorded by the second generation or by the third, as it happens.
      await continued(3);
      await run.signal(go, 3);
      equal(await result, "kept", "a signal that no generation before had waited for is there for the last (I18)");
      await lab.cancelled(told!);
      check((await abandoned!.status()) === "suspended", "a child whose policy says so is left alone");
      await abandoned!.signal(stay, "free");
      equal(await lab.output(abandoned!), "free", "and goes on");
      equal(ends, ["cancelled", "left alone"], "the other one is cancelled when the last generation ends (I17)");
    },
  }),
];
