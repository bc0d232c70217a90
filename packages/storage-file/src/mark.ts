import { type Change, type Subject, subjectOf } from "@perdure/core/storage";
import { checksumOf } from "./line.ts";

/** A short name of what a change is about. Two may share one: then damage of one counts as damage of both. */
export function markOf(namespace: string, subject: Subject): string {
  return checksumOf(subject.of === "run" ? `run ${namespace} ${subject.runId}` : `cache ${namespace} ${subject.key}`);
}

export function markOfChange(namespace: string, change: Change): string {
  return markOf(namespace, subjectOf(change));
}
