import { parseTaskId, type TaskId } from "@perdure/core/storage";
import { each, type Steps } from "./steps.ts";
import { lookUpRun } from "./tasks.ts";
import type { Turn } from "./turn.ts";

/**
 * The place of a task in the order in which everybody locks tasks: by run, and a run's workflow task before its activity tasks. So no
 * two who lock several wait for each other.
 */
export function lockOrderOf(taskId: TaskId): string {
  const { runId, seq } = parseTaskId(taskId) ?? { runId: "", seq: 0 };
  return `${runId}\0${String(seq).padStart(16, "0")}`;
}

/**
 * Runs a program that locks tasks of these runs: at once where it knows a run's number, else after a look-up. Where it knows only some,
 * the others are looked up before; or the known ones would be locked first, whatever the order.
 */
export function* inLockOrder<T>(turn: Turn, runIds: readonly string[], program: Steps<T>): Steps<T> {
  const all = new Set(runIds);
  const unknown = [...all].filter((runId) => turn.numbers.get(runId) === undefined);
  if (turn.isExclusive || unknown.length === 0 || unknown.length === all.size) return yield* program;
  yield* each(unknown, String, (runId) => lookUpRun(turn, runId));
  return yield* turn.locked(program);
}
