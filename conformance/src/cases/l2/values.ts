import { activity, signal, workflow } from "@perdure/core";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

/** Values that are easily mistaken for no value. */
const VALUES: readonly unknown[] = [0, "", false, null, [], undefined, {}, [undefined, null], { at: 0, of: [""] }];
const RUNS_AT_ONCE = 20;

const go = signal<unknown>("go");

export const valueCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.values-survive",
    invariants: ["I12", "I14", "I23"],
    scenarios: ["S7"],
    why: "`0`, the empty text and `undefined` are results like any other: a run that another worker goes on with has exactly them.",
    hint: "Is an absent payload told from an empty or falsy one?",
    async play(lab) {
      const { queue } = lab;
      const inputs: unknown[] = [];
      const echo = activity({ name: "echo" }, async (value: unknown) => {
        inputs.push(value);
        return value;
      });
      const child = workflow({ name: "echo-child", queue }, async (_ctx, value: unknown) => value);
      const definition = workflow(
        { name: "values", queue, state: { initial: { last: null as unknown } } },
        async (ctx) => {
          const outputs: unknown[] = [];
          for (const value of VALUES) outputs.push(await ctx.run(echo, value));
          const children = await Promise.all(VALUES.slice(0, 6).map((value) => ctx.child(child, value)));
          ctx.state.set("last", false);
          const signals: unknown[] = [];
          for (const _ of VALUES) signals.push(await ctx.waitFor(go));
          return { outputs, children, signals };
        },
      );
      const first = await lab.work([definition, child]);
      const run = await lab.start(definition, undefined);
      await lab.parked(run, "SIGNAL_AWAITED");
      equal(await run.state(), { last: false }, "the state is exactly what was set");
      await first.die();
      for (const value of VALUES) await run.signal(go, value);
      await lab.work([definition, child]);
      equal(
        await lab.output(run),
        { outputs: VALUES, children: VALUES.slice(0, 6), signals: VALUES },
        "a worker that knows nothing of them has every value as it was (I12)",
      );
      equal(inputs, VALUES, "inputs are exactly what was given, and nothing is executed again");
    },
  }),
  bothWays({
    id: "replay.state",
    invariants: ["I3", "I14"],
    why: "Others read the state of a run while it waits: it must be that of the last commit, of this run and of no other.",
    hint: "Are the fields of the run's row written for every commit of a batch?",
    async play(lab) {
      const { queue } = lab;
      const definition = workflow(
        { name: "stateful", queue, state: { initial: { of: -1, phase: "new", log: [] as number[] } } },
        async (ctx, of: number) => {
          ctx.state.set("of", of);
          ctx.state.update(({ log }) => ({ phase: "waiting", log: [...log, of] }));
          ctx.attributes.set({ of: `${lab.mode} ${of}` });
          await ctx.waitFor(go);
          ctx.state.batch((state) => {
            state.set("phase", "done");
            state.set("log", [...state.get("log"), of + 1]);
          });
          return ctx.state.snapshot();
        },
      );
      await lab.work([definition]);
      const numbers = Array.from({ length: RUNS_AT_ONCE }, (_, index) => index);
      const runs = await Promise.all(numbers.map((of) => lab.start(definition, of, { name: `stateful-${of}` })));
      for (const [of, run] of runs.entries()) {
        await lab.parked(run, "SIGNAL_AWAITED");
        equal(
          await run.state(),
          { of, phase: "waiting", log: [of] },
          `run ${of} shows its own state while it waits (I3)`,
        );
      }
      await lab.t.listed(async () => {
        const { runs: found } = await lab.client.list({ attributes: { of: `${lab.mode} 7` } });
        equal(
          found.map(({ runId }) => runId),
          [runs[7]!.runId],
          "a run is found by the attribute that its code set",
        );
      });
      await Promise.all(runs.map((run) => run.signal(go, null)));
      for (const [of, run] of runs.entries()) {
        const expected = { of, phase: "done", log: [of, of + 1] };
        equal(await lab.output(run), expected, `run ${of} ends with its own state`);
        equal(await run.state(), expected, "and shows it (I3)");
      }
    },
  }),
  bothWays({
    id: "replay.chance-and-time",
    invariants: ["I12", "I14"],
    why: "Random numbers, the time and recorded side effects are the same whenever the code runs again, on any worker.",
    hint: "Are `at` and the incarnation handed back as they were written?",
    async play(lab) {
      const seen = new Set<string>();
      let effects = 0;
      const definition = workflow({ name: "chance", queue: lab.queue }, async (ctx) => {
        const drawn = [ctx.random(), ctx.uuid(), ctx.now().getTime(), ctx.sideEffect("count", () => ++effects)];
        seen.add(JSON.stringify(drawn));
        await ctx.sleep(20);
        const later = [ctx.random(), ctx.now().getTime()];
        await ctx.waitFor(go);
        seen.add(JSON.stringify(drawn));
        return JSON.stringify([drawn, later, ctx.now().getTime() >= (later[1] ?? 0)]);
      });
      const first = await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      await lab.parked(run, "SIGNAL_AWAITED");
      await first.die();
      await lab.work([definition]);
      await run.signal(go, null);
      const output = await lab.output(run);
      equal(seen.size, 1, "all that the code drew is the same each time that it ran (I14)");
      equal(effects, 1, "the side effect happened once (I12)");
      check(
        output.startsWith(`[${[...seen][0]!}`) && output.endsWith(",true]"),
        "the run ends with what was drawn first",
      );
    },
  }),
];
