import { parseTaskId, type StorageBackend } from "@perdure/core/storage";
import { mutant, type Mutant } from "./mutant.ts";

/** Run ids are changed on their way in. */
function runIds(honest: StorageBackend, change: (runId: string) => string): Partial<StorageBackend> {
  return {
    createRuns: (runs) => honest.createRuns(runs.map((run) => ({ ...run, runId: change(run.runId) }))),
    getRun: (runId) => honest.getRun(change(runId)),
  };
}

/** Payloads of new runs are changed on their way in. */
function inputs(honest: StorageBackend, change: (input: string) => string): Partial<StorageBackend> {
  return { createRuns: (runs) => honest.createRuns(runs.map((run) => ({ ...run, input: change(run.input) }))) };
}

export const textMutants: readonly Mutant[] = [
  mutant({
    name: "ids-taken-apart-blindly",
    breaks: "An id that names no task is not unknown, but an error.",
    killedBy: ["ids.task-ids-that-name-nothing"],
    plant: () => (honest) => ({
      claimTasks(request) {
        for (const taskId of request.taskIds ?? []) parseTaskId(taskId)!.runId.trim();
        return honest.claimTasks(request);
      },
    }),
  }),
  mutant({
    name: "ids-folded",
    breaks: "Ids are compared without case.",
    killedBy: ["ids.alike-runs-are-different", "ids.finished-runs-keep-theirs"],
    plant: () => (honest) => runIds(honest, (runId) => runId.toLowerCase()),
  }),
  mutant({
    name: "ids-normalised",
    breaks: "Ids are brought into one Unicode form.",
    killedBy: ["ids.alike-runs-are-different"],
    plant: () => (honest) => runIds(honest, (runId) => runId.normalize("NFC")),
  }),
  mutant({
    name: "trailing-blanks-trimmed",
    breaks: "Dedupe ids lose their trailing blanks.",
    killedBy: ["ids.dedupe-ids"],
    plant: () => (honest) => ({
      deliver: (messages) =>
        honest.deliver(messages.map((message) => ({ ...message, dedupeId: message.dedupeId.trimEnd() || "x" }))),
    }),
  }),
  mutant({
    name: "cache-keys-cut",
    breaks: "Cache keys are cut to the width of a column.",
    killedBy: ["ids.cache-keys"],
    plant: () => (honest) => ({
      writeCache: (entries) => honest.writeCache(entries.map((entry) => ({ ...entry, key: entry.key.slice(0, 255) }))),
      readCache: (keys) => honest.readCache(keys.map((key) => key.slice(0, 255))),
    }),
  }),
  mutant({
    name: "nul-stripped",
    breaks: "NUL escapes vanish from payloads.",
    killedBy: ["payload.nul-escape"],
    plant: () => (honest) => inputs(honest, (input) => input.replaceAll("\\u0000", "")),
  }),
  mutant({
    name: "payloads-parsed",
    breaks: "Payloads are parsed and written anew: numbers are rounded, keys reordered, blanks dropped.",
    killedBy: ["payload.big-numbers", "payload.whitespace", "payload.duplicate-keys"],
    plant: () => (honest) =>
      inputs(honest, (input) => {
        try {
          return JSON.stringify(JSON.parse(input));
        } catch {
          return input;
        }
      }),
  }),
  mutant({
    name: "payloads-cut",
    breaks: "A payload over the limit is cut instead of refused.",
    killedBy: ["payload.limit-plus-one", "payload.too-large-spares-nobody"],
    plant: () => (honest) =>
      inputs(honest, (input) =>
        Buffer.from(input)
          .subarray(0, honest.info.limits.payloadBytes - 3)
          .toString(),
      ),
  }),
  mutant({
    name: "create-by-check-then-insert",
    breaks: "A start looks whether the run is there, and inserts it a moment later.",
    killedBy: ["create.fifty-callers-one-run", "create.fifty-different-starts"],
    plant: () => (honest) => ({
      async createRuns(runs) {
        const there = await Promise.all(runs.map(({ runId }) => honest.getRun(runId)));
        const answers = await honest.createRuns(runs);
        return answers.map((answer, index) => (there[index] === undefined ? { ...answer, status: "created" } : answer));
      },
    }),
  }),
];
