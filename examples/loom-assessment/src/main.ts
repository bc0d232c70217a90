// npm start -w examples/loom-assessment: two students, of whom one answers. Takes two seconds, leaves nothing behind.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createClient, createWorker, type Logger, toMermaid } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { answered, assessment } from "./assessment.ts";
import { readLedger } from "./ledger.ts";

console.log(`${assessment.description}\n\n${toMermaid(assessment.graph())}`);

const startedAt = performance.now();
function say(sentence: string): void {
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(2).padStart(5)} s  ${sentence}`);
}
const logger: Logger = { debug() {}, info: say, warn: say, error: say };

const folder = mkdtempSync(join(tmpdir(), "perdure-assessment-"));
const ledger = (process.env["ASSESSMENT_LEDGER"] ??= join(folder, "ledger.jsonl"));
const storage = sqlite(join(folder, "assessments.db"));
const worker = createWorker({ storage, workflows: [assessment], logger });
const client = createClient({ storage });
try {
  // Patience of two days and a review of a week, unless somebody is in a hurry. Here everybody is.
  const start = (student: string, patience: "1s" | "300ms") =>
    client.start(assessment, { student, topic: "arithmetic", patience, review: "300ms" }, { id: `quiz-of-${student}` });
  const [ada, bob] = await Promise.all([start("ada", "1s"), start("bob", "300ms")]);
  const answer = async (question: number, text: string) => {
    await ada.signal(answered, { question, text });
    say(`quiz-of-ada: ada answers ${text} to question ${question}`);
  };

  // Ada has seen the quiz before: her first answer is there before anybody has asked. It is kept until somebody does.
  await answer(0, "42");
  void worker.run();
  while ((await ada.describe()).currentStep !== "wait-for-answers") await pause(20);
  say("quiz-of-ada: waits for answers");
  await answer(1, "1000");

  // The third answer needs a reminder. The state can be read from outside, with no help from a worker.
  while ((await ada.state())?.reminders === 0) await pause(20);
  await answer(2, "12");

  assert.deepEqual(await ada.result(), { student: "ada", points: 2, of: 3, reminders: 1 });
  assert.deepEqual(await bob.result(), { student: "bob", points: 0, of: 3, reminders: 2 });

  // What really happened is in the ledger, execution by execution.
  const executions = readLedger(ledger);
  const executedFor = (runId: string) =>
    executions.filter((execution) => execution.runId === runId).map(({ activity }) => activity);
  const made = ["generate-quiz", "generate-quiz", "publish-quiz"]; // the model was overloaded at first
  const graded = ["grade", "grade", "grade", "publish-grade"];
  assert.deepEqual(executedFor(ada.runId), [...made, "remind", ...graded]);
  assert.deepEqual(executedFor(bob.runId), [...made, "remind", "remind", ...graded]);
  console.log("assessment: ok — 2 students graded, 1 answer came before its question, 3 reminders sent");
} finally {
  await worker.stop();
  await client.close();
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
}
