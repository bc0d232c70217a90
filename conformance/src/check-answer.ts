import { ConformanceFailure } from "./failure.ts";
import type { Verb } from "./verbs.ts";

/** Verbs whose first argument is a batch, and that answer each of its elements. */
const BATCHES: ReadonlySet<Verb> = new Set<Verb>([
  "createRuns",
  "readEvents",
  "renewLeases",
  "commitTasks",
  "unblockTasks",
  "deliver",
  "readCache",
  "writeCache",
]);

/** @throws ConformanceFailure where an answer does not even have the shape that the port gives it */
export function checkAnswer(verb: Verb, [first]: readonly unknown[], actual: unknown): void {
  if (!BATCHES.has(verb) || !Array.isArray(first)) return;
  if (Array.isArray(actual) && actual.length === first.length) return;
  const what = `${verb} answers with a list, one answer for each of its ${first.length} elements`;
  throw new ConformanceFailure(what, { expected: `a list of ${first.length}`, actual });
}
