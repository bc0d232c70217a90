import { isPerdureError, signal, StorageError, workflow } from "@perdure/core";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { wrapVerbs } from "../../verbs.ts";
import { bothWays } from "./both-ways.ts";

const TURNS = 12;

const go = signal<number>("go");

export const signalCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.signal-before-the-wait",
    invariants: ["I11", "I18"],
    scenarios: ["S9"],
    why: "Senders do not know when a run will wait: what comes early is kept, in its order, and counts once.",
    async play(lab) {
      const definition = workflow({ name: "early", queue: lab.queue }, async (ctx) => {
        await ctx.sleep(40);
        const taken: number[] = [];
        for (let count = 0; count < 3; count++) taken.push(await ctx.waitFor(go));
        return taken;
      });
      const run = await lab.start(definition, undefined);
      for (const n of [1, 2, 3]) await run.signal(go, n, { id: `go-${n}` });
      await run.signal(go, 1, { id: "go-1" });
      await lab.work([definition]);
      equal(await lab.output(run), [1, 2, 3], "signals are taken in the order in which they were sent (I18)");
      equal(
        (await lab.types(run)).filter((type) => type === "SIGNAL_RECEIVED").length,
        3,
        "one that is sent twice under one id counts once (I18)",
      );
    },
  }),
  bothWays({
    id: "replay.signal-wakes",
    invariants: ["I11", "I18"],
    scenarios: ["S9"],
    why: "A run that waits is woken by each signal, the first and the twelfth, whoever holds it in between.",
    hint: "Are epochs, message numbers and sequence numbers compared as numbers, not as text?",
    async play(lab) {
      const definition = workflow({ name: "woken", queue: lab.queue }, async (ctx) => {
        const taken: number[] = [];
        for await (const n of ctx.signals(go)) if (taken.push(n) === TURNS) break;
        return taken;
      });
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      const sent = Array.from({ length: TURNS }, (_, index) => index + 1);
      for (const n of sent) {
        await lab.parked(run, "SIGNAL_AWAITED", n);
        await run.signal(go, n);
      }
      const handOuts = (await lab.storage.getRun(run.runId))!.task?.epoch ?? 0;
      equal(await lab.output(run), sent, "every signal wakes the run, and is taken once (I11)");
      check(handOuts <= 3 * TURNS, `the run is handed out about once for each signal, not ${handOuts} times`);
      await lab.recorded(
        run,
        sent.flatMap(() => ["SIGNAL_AWAITED", "SIGNAL_RECEIVED"] as const),
        "each turn is recorded",
      );
    },
  }),
  bothWays({
    id: "replay.signal-after-the-end",
    invariants: ["I5", "I29"],
    scenarios: ["S9"],
    guards: ["signal-to-a-closed-run-refused"],
    why: "A sender that comes too late must hear so: a signal that was accepted and is never seen is worse than an error.",
    async play(lab) {
      const definition = workflow({ name: "over", queue: lab.queue }, async () => "over");
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      await lab.output(run);
      const before = await run.history();
      await refused("run-closed", "a run that has ended takes no signals", () => run.signal(go, 1));
      await refused("run-closed", "nor can it be cancelled", () => run.cancel());
      await refused("run-not-found", "a run that is not there is not a closed one", () =>
        lab.client.handle(`${lab.mode}-nobody`).signal(go, 1),
      );
      lab.t.guard("signal-to-a-closed-run-refused");
      equal(await run.history(), before, "nothing follows the end (I5)");
    },
  }),
  bothWays({
    id: "replay.signal-timeout",
    invariants: ["I10", "I11"],
    scenarios: ["S11"],
    why: "A run whose patience has a limit wakes by itself, and a signal that comes too late is kept for the next wait.",
    hint: "Does a park until `wakeAt` bring the run back although no message comes?",
    async play(lab) {
      const definition = workflow({ name: "patient", queue: lab.queue }, async (ctx) => {
        const error: unknown = await ctx.waitFor(go, { timeout: 80 }).catch((caught: unknown) => caught);
        if (!isPerdureError(error, "timed-out")) return ["no time-out", error];
        await ctx.sleep(20);
        return ["timed out", await ctx.waitFor(go, { timeout: "1h" })];
      });
      await lab.work([definition]);
      const run = await lab.start(definition, undefined);
      await lab.parked(run, "SIGNAL_AWAITED", 2);
      await run.signal(go, 2);
      equal(await lab.output(run), ["timed out", 2], "the wait ends typed, and the next one takes the signal");
      const history = await run.history();
      const awaited = history.find((event) => event.type === "SIGNAL_AWAITED");
      const fired = history.find((event) => event.type === "TIMER_FIRED");
      check(fired!.at >= awaited!.data.dueAt!, "the time-out is never early (I10)");
    },
  }),
  bothWays({
    id: "replay.signal-to-another-run",
    invariants: ["I11", "I12", "I29"],
    why: "Runs talk to each other: a message goes out once it is recorded, and what became of it is the same in every replay.",
    async play(lab) {
      const { queue } = lab;
      const listener = workflow({ name: "listener", queue }, (ctx) => ctx.waitFor(go));
      const sender = workflow({ name: "sender", queue }, async (ctx, to: string) => {
        await ctx.signal(to, go, 7);
        const errors: unknown[] = [];
        for (const unreachable of [`${to}-nobody`, `${to}-over`]) {
          await ctx.signal(unreachable, go, 8).catch((error: { code?: string }) => errors.push(error.code));
        }
        await ctx.sleep(20);
        return errors;
      });
      await lab.work([listener, sender]);
      const over = await lab.start(listener, undefined, { name: "listener-over" });
      await over.signal(go, 1);
      await lab.output(over);
      const listening = await lab.start(listener, undefined);
      await lab.parked(listening, "SIGNAL_AWAITED");
      const run = await lab.start(sender, listening.runId);
      equal(await lab.output(run), ["run-not-found", "run-closed"], "refusals are typed");
      equal(await lab.output(listening), 7, "the message arrives");
    },
  }),
  bothWays({
    id: "replay.signal-repeated-after-the-end",
    invariants: ["I18", "I29"],
    why: "A run sends a signal and its answer is lost; the other run takes it and ends. The sender repeats: its signal had arrived, and it must not hear otherwise.",
    hint: "Does `deliver` look for the dedupe id before it looks whether the run is closed?",
    async play(lab) {
      const listener = workflow({ name: "listener", queue: lab.queue }, (ctx) => ctx.waitFor(go));
      const sender = workflow({ name: "sender", queue: lab.queue }, async (ctx, to: string) => {
        await ctx.signal(to, go, 7);
        return "sent";
      });
      await lab.work([listener]);
      const listening = await lab.start(listener, undefined);
      await lab.parked(listening, "SIGNAL_AWAITED");
      let lost = 0;
      const forgetful = wrapVerbs(await lab.open(), async (verb, _args, call) => {
        const answer = await call();
        if (verb !== "deliver" || lost > 0) return answer;
        lost++;
        await lab.output(listening);
        throw new StorageError("unavailable", "The answer was lost: an injected fault. Repeat the call.");
      });
      await lab.work([sender], { storage: forgetful });
      const run = await lab.start(sender, listening.runId);
      equal(await lab.output(run), "sent", "the sender hears that its signal has arrived");
      equal(lost, 1, "though the first answer was lost");
      equal(await lab.output(listening), 7, "and it counted once");
      await refused("run-closed", "a new signal is refused", () => listening.signal(go, 8, { id: "again" }));
    },
  }),
];

async function refused(code: string, what: string, call: () => Promise<unknown>): Promise<void> {
  const error = await call().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  equal((error as { code?: string } | null)?.code, code, what);
}
