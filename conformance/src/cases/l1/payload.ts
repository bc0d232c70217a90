import type { Limits } from "@perdure/core/storage";
import { contains, equal, status, throws } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { heldRun } from "../../scenes.ts";
import { history, unchanged } from "../../snapshot.ts";
import { CORPUS } from "./payload-corpus.ts";

const corpusCases: readonly ConformanceCase[] = Object.entries(CORPUS).map(([name, { text, why }]) => ({
  id: `payload.${name}`,
  level: "L1",
  invariants: ["I23"],
  why,
  hint: "Payloads are opaque text: bind them as text, store them byte for byte, never parse.",
  run: (t) => everyPlace(t, text),
}));

/** Puts one text wherever a payload can stand, and looks at it wherever it comes back. */
async function everyPlace(t: CaseContext, text: string): Promise<void> {
  const { backend, make } = t;
  const started = make.event({ type: "WORKFLOW_STARTED", data: text });
  const run = await t.create({ input: text, state: text, started });
  await backend.deliver([make.message(run.runId, { data: text })]);
  const worker = t.worker();
  const task = await worker.take();
  equal(task.run.input, text, "the input travels with the claim");
  equal(task.messages[0]?.data, text, "a message travels with the claim");
  equal(task.events?.[0]?.data, text, "an event travels with the claim");
  const renewed = status(await worker.renew(task), "held", "the lease is renewed");
  equal(renewed.messages[0]?.data, text, "a message travels with a renewal");

  const scheduled = make.activity(run, 2, { input: text, details: text });
  const scheduling = make.turn(task, {
    events: [make.event({ data: text })],
    ackInbox: 0,
    schedule: [scheduled],
    run: { state: text },
    next: { do: "hold" },
  });
  const held = status(await worker.commit(scheduling), "ok", "the turn is applied");
  equal(held.messages[0]?.data, text, "a message travels with the answer to a commit");
  const activity = await worker.takeActivity();
  contains(activity.task, { input: text, details: text }, "input and details travel with the activity");
  const retry = make.outcome(activity, { do: "retry", at: 0, attempt: 2, details: text });
  status(await worker.commit(retry), "ok", "the activity is rescheduled");
  const again = await worker.takeActivity();
  equal(again.task.details, text, "new details travel with the next attempt");
  const outcome = make.outcome(again, { do: "complete", message: make.message(run.runId, { data: text }) });
  status(await worker.commit(outcome), "ok", "the activity is completed");

  const closing = make.turn(task, {
    expectedSeq: 2,
    ackInbox: 2,
    close: { status: "failed", output: text, failure: text },
    next: { do: "block", reason: text, until: null },
  });
  status(await worker.commit(closing), "ok", "the run is closed");
  const stored = await backend.getRun(run.runId);
  contains(stored, { input: text, state: text, output: text, failure: text }, "the run keeps its payloads");
  equal(stored?.task?.blocked, text, "and so does its block");
  equal(
    (await history(backend, run.runId)).slice(0, 2).map(({ data }) => data),
    [text, text],
    "events keep their data",
  );

  const entry = make.cacheEntry({ value: text });
  const written = status((await backend.writeCache([entry]))[0], "written", "the cache takes it");
  equal(written.entry.value, text, "the cache answers with it");
  equal((await backend.readCache([entry.key]))[0]?.value, text, "and keeps it");
}

/** Every verb with one payload that the test chooses; `payload` is the largest of it. */
async function verbsWith(
  t: CaseContext,
  payload: string,
): Promise<readonly (readonly [string, () => Promise<unknown>])[]> {
  const { backend, make } = t;
  const { run, worker, task } = await heldRun(t);
  const reason = { do: "block", reason: payload, until: null } as const;
  return [
    ["input", () => backend.createRuns([make.run({ input: payload })])],
    ["state", () => backend.createRuns([make.run({ state: payload })])],
    ["first event", () => backend.createRuns([make.run({ started: make.event({ data: payload }) })])],
    ["message", () => backend.deliver([make.message(run.runId, { data: payload })])],
    ["event", () => worker.commit(make.turn(task, { events: [make.event({ data: payload })] }))],
    ["new state", () => worker.commit(make.turn(task, { run: { state: payload } }))],
    ["activity input", () => worker.commit(make.turn(task, { schedule: [make.activity(run, 2, { input: payload })] }))],
    ["details", () => worker.commit(make.turn(task, { schedule: [make.activity(run, 2, { details: payload })] }))],
    ["output", () => worker.commit(make.final(task, { close: { status: "completed", output: payload } }))],
    ["failure", () => worker.commit(make.final(task, { close: { status: "failed", failure: payload } }))],
    ["reason", () => worker.commit(make.turn(task, { next: reason }))],
    ["cache value", () => backend.writeCache([make.cacheEntry({ value: payload })])],
  ];
}

export const payloadCases: readonly ConformanceCase[] = [
  ...corpusCases,
  {
    id: "payload.one-mebibyte",
    level: "L1",
    invariants: ["I23"],
    why: "The codec lets payloads of 1 MiB pass, where the backend's limit does.",
    run: (t) => everyPlace(t, "x".repeat(Math.min(1_048_576, spread(t.info.limits)))),
  },
  {
    id: "payload.exactly-the-limit",
    level: "L1",
    invariants: ["I23"],
    why: "A declared limit is a promise: a payload of exactly that size is stored.",
    hint: "The limit counts UTF-8 bytes. Leave room for what you add around a payload.",
    async run(t) {
      const { payloadBytes } = t.info.limits;
      for (const text of [
        "x".repeat(payloadBytes),
        `${"€".repeat(Math.floor(payloadBytes / 3))}${"x".repeat(payloadBytes % 3)}`,
      ]) {
        const run = await t.create({ input: text });
        equal((await t.backend.getRun(run.runId))?.input, text, "an input of the limit comes back");
        status(
          (await t.backend.deliver([t.make.message(run.runId, { data: text })]))[0],
          "accepted",
          "so does a message",
        );
        const task = await t.worker().take();
        equal(task.messages[0]?.data, text, "byte for byte");
        const events = [t.make.event({ data: text })];
        status(await t.worker().commit(t.make.turn(task, { events })), "ok", "so does an event");
        equal((await history(t.backend, run.runId))[1]?.data, text, "byte for byte");
      }
    },
  },
  {
    id: "payload.limit-plus-one",
    level: "L1",
    invariants: ["I23", "I29"],
    guards: ["payload-limit-refused"],
    why: "A payload over the limit is refused before anything is written: half of it would be worse than nothing.",
    hint: "Check every payload of a verb before the first write. The limit counts bytes, not characters.",
    async run(t) {
      const { payloadBytes } = t.info.limits;
      const tooLarge = [
        "x".repeat(payloadBytes + 1),
        `${"€".repeat(Math.floor(payloadBytes / 3))}${"x".repeat((payloadBytes % 3) + 1)}`,
      ];
      for (const payload of tooLarge) {
        const calls = await verbsWith(t, payload);
        await unchanged(t, [], "a refused payload writes nothing", async () => {
          for (const [place, call] of calls) {
            await throws("payload-too-large", `a too large ${place} is refused`, call);
            t.guard("payload-limit-refused");
          }
        });
      }
    },
  },
  {
    id: "payload.unstorable-text",
    level: "L1",
    invariants: ["I23", "I29"],
    guards: ["unstorable-text-refused"],
    why: "Raw NUL and lone surrogates cannot be kept by every store, so none of them takes any: codecs escape them.",
    async run(t) {
      for (const payload of ["a\0b", "\ud800", "x\udc00y"]) {
        const calls = await verbsWith(t, payload);
        await unchanged(t, [], "a refused payload writes nothing", async () => {
          for (const [place, call] of calls) {
            await throws("invalid-argument", `${JSON.stringify(payload)} as ${place} is refused`, call);
            t.guard("unstorable-text-refused");
          }
        });
      }
    },
  },
  {
    id: "payload.too-large-spares-nobody",
    level: "L1",
    invariants: ["I3", "I23"],
    why: "A malformed element refuses its whole batch, so that the caller knows that nothing of it was written.",
    async run(t) {
      const { payloadBytes } = t.info.limits;
      const good = t.make.run();
      const bad = t.make.run({ input: "x".repeat(payloadBytes + 1) });
      await throws("payload-too-large", "the batch is refused", () => t.backend.createRuns([good, bad]));
      equal(await t.backend.getRun(good.runId), undefined, "the element before the malformed one is not written");
      const { runId } = await t.create();
      const messages = [t.make.message(runId), t.make.message(runId, { data: "x".repeat(payloadBytes + 1) })];
      await throws("payload-too-large", "the batch is refused", () => t.backend.deliver(messages));
      equal((await t.backend.getRun(runId))?.task?.unread, 0, "the message before the malformed one is not written");
    },
  },
];

/** A size that fits nine times into one commit. */
function spread({ payloadBytes, commitBytes }: Limits): number {
  return Math.min(payloadBytes, Math.floor(commitBytes / 9));
}
