import { isPerdureError, signal, workflow } from "@perdure/core";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { wrapVerbs } from "../../verbs.ts";
import { bothWays } from "./both-ways.ts";
import type { MortalWorker } from "./mortal-worker.ts";

const go = signal<number>("go");

export const childCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.child-result",
    invariants: ["I11", "I12", "I15"],
    scenarios: ["S16"],
    why: "A child lives its own life, waits for signals, and its parent gets its result once, also when the parent's worker dies meanwhile.",
    hint: "Is the child created once although its creation is repeated, and is its last message to the parent delivered?",
    async play(lab) {
      const { queue, mode } = lab;
      const child = workflow({ name: "kid", queue }, async (ctx, n: number) => n + (await ctx.waitFor(go)));
      const parent = workflow({ name: "parent", queue }, async (ctx) => {
        const kids = [1, 2].map((n) => ctx.child(child, n * 10, { id: `${mode}-kid-${n}` }));
        await kids[1]!.signal(go, 2);
        return Promise.all(kids);
      });
      const first = await lab.work([parent, child]);
      const run = await lab.start(parent, undefined);
      const kid = lab.client.handle(`${mode}-kid-1`);
      await lab.parked(run, "CHILD_COMPLETED");
      await lab.until("the first child is created", async () => {
        const { runs } = await lab.client.list({ parentRunId: run.runId });
        return runs.length === 2;
      });
      await lab.parked(kid, "SIGNAL_AWAITED");
      await first.die();
      await lab.work([parent, child]);
      await kid.signal(go, 1);
      equal(await lab.output(run), [11, 22], "the parent has the result of each child");
      equal(
        (await lab.types(run)).filter((type) => type === "CHILD_COMPLETED").length,
        2,
        "each child ended once for its parent (I12)",
      );
    },
  }),
  bothWays({
    id: "replay.child-failure",
    invariants: ["I12", "I29"],
    scenarios: ["S16"],
    why: "A parent that catches the failure of its child sees which run failed, and why.",
    async play(lab) {
      const { queue, mode } = lab;
      const child = workflow({ name: "failing-kid", queue }, async (ctx) => {
        await ctx.sleep(10);
        throw new RangeError("no way");
      });
      const parent = workflow({ name: "parent", queue }, async (ctx) => {
        try {
          await ctx.child(child, undefined, { id: `${mode}-failing` });
          return "no failure";
        } catch (error) {
          if (!isPerdureError(error, "child-failed")) throw error;
          const { workflow: name, runId, cause } = error as Error & { workflow: string; runId: string };
          const { name: kind, message } = cause as Error;
          await ctx.sleep(10);
          return [name, runId, kind, message];
        }
      });
      await lab.work([parent, child]);
      const run = await lab.start(parent, undefined);
      equal(
        await lab.output(run),
        ["failing-kid", `${mode}-failing`, "RangeError", "no way"],
        "the failure names the child's workflow, its run and its cause",
      );
    },
  }),
  bothWays({
    id: "replay.parent-close",
    invariants: ["I9", "I11", "I17"],
    why: "A parent that ends leaves nobody behind that it did not mean to: each child is cancelled, terminated or left alone by its policy.",
    hint: "Is a closed run handed out until it is done, so that what it owes to others is told them?",
    async play(lab) {
      const { queue, mode } = lab;
      let cleanUps = 0;
      const child = workflow({ name: "kid", queue }, async (ctx) => {
        try {
          return await ctx.waitFor(go);
        } catch (error) {
          await ctx.run("clean up", () => ++cleanUps);
          throw error;
        }
      });
      const policies = ["cancel", "terminate", "abandon"] as const;
      const parent = workflow({ name: "parent", queue }, async (ctx) => {
        for (const parentClose of policies)
          void ctx.child(child, undefined, { id: `${mode}-${parentClose}`, parentClose });
        await ctx.waitFor(go);
        return "gone";
      });
      await lab.work([parent, child]);
      const run = await lab.start(parent, undefined);
      const kids = policies.map((policy) => lab.client.handle(`${mode}-${policy}`));
      await lab.parked(run, "SIGNAL_AWAITED");
      await lab.until("the children are created", async () => {
        const { runs } = await lab.client.list({ parentRunId: run.runId });
        return runs.length === policies.length;
      });
      for (const kid of kids) await lab.parked(kid, "SIGNAL_AWAITED");
      await run.signal(go, 0);
      equal(await lab.output(run), "gone", "the parent ends");
      const [cancelled, terminated, abandoned] = kids;
      await lab.cancelled(cancelled!);
      await lab.cancelled(terminated!);
      equal(cleanUps, 1, "the cancelled one cleans up, the terminated one does not");
      equal(await abandoned!.status(), "suspended", "the third one is left alone");
      await abandoned!.signal(go, 3);
      equal(await lab.output(abandoned!), 3, "and goes on");
    },
  }),
  bothWays({
    id: "replay.child-of-an-ended-parent",
    invariants: ["I3", "I9", "I12"],
    why: "A parent is terminated when it has asked for a child and nobody has made it yet. Whoever ends the parent makes the child, without the code of either: it is there as if it had been started otherwise, state included.",
    hint: "Is the state that a run is created with written with it?",
    async play(lab) {
      const { queue, mode } = lab;
      const kid = workflow(
        { name: "kid", queue: `${queue}-kids`, state: { initial: (n: number) => ({ n, phase: "new" }) } },
        async (ctx, n: number) => {
          ctx.state.set("phase", "grown");
          return n;
        },
      );
      const parent = workflow({ name: "parent", queue }, async (ctx) => {
        void ctx.child(kid, 7, { id: `${mode}-kid`, parentClose: "abandon" });
        await ctx.waitFor(go);
      });
      const storage = await lab.open();
      const asked = Promise.withResolvers<void>();
      const first: MortalWorker = await lab.work([parent], {
        lease: 500,
        storage: wrapVerbs(storage, async (verb, _args, call) => {
          const answer = await call();
          if (verb === "commitTasks") asked.resolve(first.die());
          return answer;
        }),
      });
      const run = await lab.start(parent, undefined);
      await asked.promise;
      check((await lab.types(run)).includes("CHILD_SCHEDULED"), "the child was asked for");
      equal(await lab.storage.getRun(`${mode}-kid`), undefined, "and not made");
      await run.terminate();
      await lab.work([parent]);
      await lab.cancelled(run);
      const child = lab.client.handle<number, { readonly n: number; readonly phase: string }>(`${mode}-kid`);
      equal(await child.state(), { n: 7, phase: "new" }, "the child shows the state that its workflow begins with");
      await lab.work([kid], { queues: [`${queue}-kids`] });
      equal(await lab.output(child), 7, "the child goes on to its end");
      equal(await child.state(), { n: 7, phase: "grown" }, "and shows the state that it ends with");
    },
  }),
];
