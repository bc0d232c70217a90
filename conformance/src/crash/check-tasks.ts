import { check, equal } from "../assert.ts";
import { callOfKey, callsOf } from "./call.ts";
import type { LedgerEntry, Saved, Took } from "./ledger.ts";
import type { RecordedRun } from "./recorded-run.ts";
import type { Repetitions, Troubles } from "./troubles.ts";
import { type Done, REMOTE } from "./workflows.ts";

/**
 * I12, I13 and I4 of a run's activity tasks: their recorded results, their executions, their checkpoints.
 * @param entries at least those of the run
 */
export function checkTasks(
  { run, history }: RecordedRun,
  entries: readonly LedgerEntry[],
  { killed, slow }: Troubles,
  total: { -readonly [Count in keyof Repetitions]: number },
): void {
  const mine = entries.filter((entry): entry is Took | Saved => {
    return (entry.what === "took" || entry.what === "saved") && entry.run === run.runId;
  });
  const took = mine.filter((entry) => entry.what === "took");
  total.executions += took.length;
  total.resumed += took.filter(({ from }) => from > 0).length;
  const counted = new Set<string>();
  for (const { call, event } of callsOf(history)) {
    if (event.type !== "ACTIVITY_COMPLETED" || event.data.activity !== REMOTE) continue;
    const { execution } = event.data.output as Done;
    const source = took.find((entry) => entry.execution === execution);
    check(source, `the result at event ${event.seq} of run "${run.runId}" comes from an execution (I12)`);
    equal(
      [callOfKey(source.key), source.attempt],
      [call, event.data.attempt],
      `the result at event ${event.seq} of run "${run.runId}" is its own (I12)`,
    );
    counted.add(`${source.key} ${source.attempt}`).add(execution);
  }
  for (const one of took) {
    const what = `execution ${one.execution} of call ${callOfKey(one.key)}, attempt ${one.attempt} of run "${run.runId}"`;
    if (counted.has(one.execution)) continue;
    // Of an attempt whose failure brought the next one, history does not say which execution it was.
    const others = took.filter((other) => other !== one && other.key === one.key && other.attempt === one.attempt);
    const isFailure = !counted.has(`${one.key} ${one.attempt}`) && took.some((other) => isNext(other, one));
    if (isFailure && others.every(({ by }) => killed.has(by) || slow.has(by))) continue;
    check(killed.has(one.by) || slow.has(one.by), `${what}, was not repeated without a cause (I13)`);
    if (killed.has(one.by)) total.afterKill++;
    else total.afterLoss++;
  }
  const saved = new Map<string, number>();
  for (const entry of mine) {
    const { key } = entry;
    if (entry.what === "saved") saved.set(key, entry.done);
    else {
      const done = saved.get(key) ?? 0;
      check(
        entry.from >= done,
        `execution ${entry.execution} of run "${run.runId}" goes on from checkpoint ${done}, which was acknowledged, and not from ${entry.from} (I4)`,
      );
    }
  }
}

function isNext(other: Took, one: Took): boolean {
  return other.key === one.key && other.attempt === one.attempt + 1;
}
