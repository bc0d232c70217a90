import { activity, signal, workflow } from "@perdure/core";
import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

const go = signal<string>("go");

export const forkCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.fork",
    invariants: ["I2", "I12", "I14"],
    why: "A run is forked from the middle of its history: the fork has state and attributes of that place and goes its own way, the source stays as it was.",
    hint: "Does a commit that holds replace state and attributes of the run's row, and read back the events before it?",
    async play(lab) {
      const { queue } = lab;
      const executed: string[] = [];
      const work = activity({ name: "work" }, async (name: string) => void executed.push(name));
      const definition = workflow({ name: "forked", queue, state: { initial: { at: 0 } } }, async (ctx) => {
        await ctx.run(work, "before");
        // More events than a claim brings, so that they have to be read.
        for (let at = 1; at <= 20; at++) ctx.state.set("at", at);
        ctx.attributes.set({ tier: "gold" });
        const first = await ctx.waitFor(go);
        ctx.state.set("at", 21);
        await ctx.run(work, first);
        return [first, await ctx.waitFor(go), ctx.state.get("at")];
      });
      await lab.work([definition]);
      const source = await lab.start(definition, undefined, { name: "source" });
      await lab.parked(source, "SIGNAL_AWAITED");
      await source.signal(go, "one");
      await lab.parked(source, "SIGNAL_AWAITED", 2);
      const history = await source.history();
      const received = history.find(({ type }) => type === "SIGNAL_RECEIVED")!;

      const id = lab.follow("fork");
      const fork = await source.fork({ beforeSeq: received.seq, id });
      equal(
        (await source.fork({ beforeSeq: received.seq, id })).incarnation,
        fork.incarnation,
        "the same id, the same run",
      );
      await lab.parked(fork, "FORKED");
      equal(await fork.state(), { at: 20 }, "the row has the state of that place");
      const { attributes, forkedFrom } = await fork.describe();
      equal(attributes, { tier: "gold" }, "and its attributes");
      equal(forkedFrom, { runId: source.runId, seq: received.seq - 1 }, "it is known whose fork it is");
      for (const text of ["two", "three"]) await fork.signal(go, text);
      equal(await lab.output(fork), ["two", "three", 21], "the fork goes its own way");
      equal(await source.history(), history, "and its source is untouched (I2)");
      await source.signal(go, "four");
      equal(await lab.output(source), ["one", "four", 21], "the source goes on as if nothing had been");
      equal(executed, ["before", "one", "two"], "what is copied is not executed again (I12)");
    },
  }),
  bothWays({
    id: "replay.retry",
    invariants: ["I12", "I15"],
    why: "A failed run is retried by many at once: one new run executes what had failed, and nothing else.",
    async play(lab) {
      const executed: string[] = [];
      let isDown = true;
      const work = activity({ name: "work", retry: 1 }, async (name: string) => {
        executed.push(name);
        if (isDown && name === "second") throw new Error("down");
        return name;
      });
      const definition = workflow({ name: "retried", queue: lab.queue }, async (ctx) => [
        await ctx.run(work, "first"),
        await ctx.run(work, "second"),
      ]);
      await lab.work([definition]);
      const run = await lab.start(definition, undefined, { name: "failed" });
      await lab.failed(run);
      isDown = false;
      const id = lab.follow("again");
      const retried = await Promise.all(Array.from({ length: 10 }, () => run.retry({ id })));
      equal(new Set(retried.map(({ incarnation }) => incarnation)).size, 1, "ten calls make one run (I15)");
      equal(await lab.output(retried[0]!), ["first", "second"], "it goes on from the failure");
      equal(executed, ["first", "second", "second"], "and repeats nothing that has succeeded (I12)");
    },
  }),
];
