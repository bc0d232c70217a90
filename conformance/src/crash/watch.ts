import { isPerdureError } from "@perdure/core";
import {
  type Claim,
  type ClaimResult,
  type CommitResult,
  type RenewResult,
  type StorageBackend,
  type TaskCommit,
  type WorkflowCommit,
  workflowTaskId,
} from "@perdure/core/storage";
import { wrapVerbs } from "../verbs.ts";
import type { Ledger, LedgerEntry } from "./ledger.ts";

/** A client whose claims, renewals, commits and errors go into the ledger as they are answered, under the worker's name. */
export function watch(backend: StorageBackend, ledger: Ledger, by: string): StorageBackend {
  return wrapVerbs(backend, async (verb, args, call) => {
    let answer: unknown;
    try {
      answer = await call();
    } catch (error) {
      const code = isPerdureError(error) ? error.code : null;
      ledger.note({ what: "failed", by, run: null, verb, code, message: String(error) });
      throw error;
    }
    if (verb === "claimTasks") ledger.note(...claimed(by, answer as ClaimResult));
    else if (verb === "renewLeases")
      ledger.note(...renewed(by, args[0] as readonly Claim[], answer as readonly RenewResult[]));
    else if (verb === "commitTasks") {
      ledger.note(...committed(by, args[0] as readonly TaskCommit[], answer as readonly CommitResult[]));
    }
    return answer;
  });
}

function claimed(by: string, { now, tasks }: ClaimResult): LedgerEntry[] {
  return tasks.flatMap((task) => {
    if (task.kind !== "workflow") return [];
    const { claim, lastSeq: head, lastCommitId: commit, leaseUntil: until } = task;
    const { runId: run, epoch } = claim;
    return [{ what: "claimed", by, run, epoch, head, commit, now, until, clockOffMs: clockOffMs() }];
  });
}

/** The monotonic clock knows how late it is since it was started. */
function clockOffMs(): number {
  return Math.round(Date.now() - performance.timeOrigin - performance.now());
}

function renewed(by: string, claims: readonly Claim[], results: readonly RenewResult[]): LedgerEntry[] {
  return claims.flatMap(({ taskId, runId, incarnation, epoch }, index): LedgerEntry[] => {
    if (taskId !== workflowTaskId(runId, incarnation)) return [];
    const result = results[index]!;
    if (result.status === "lost") return [{ what: "refused", by, run: runId, epoch, verb: "renewLeases" }];
    return [{ what: "renewed", by, run: runId, epoch, until: result.leaseUntil }];
  });
}

function committed(by: string, commits: readonly TaskCommit[], results: readonly CommitResult[]): LedgerEntry[] {
  return commits.flatMap((commit, index) =>
    commit.kind === "workflow" ? commitEntries(by, commit, results[index]!) : [],
  );
}

function commitEntries(
  by: string,
  { claim, commitId: commit, expectedSeq: after, events, next }: WorkflowCommit,
  result: CommitResult,
): LedgerEntry[] {
  const { runId: run, epoch } = claim;
  if (result.status === "lease-lost") return [{ what: "refused", by, run, epoch, verb: "commitTasks" }];
  if (result.status !== "ok" && result.status !== "duplicate") return [];
  return [{ what: "acked", by, run, epoch, commit, after, events: events.map(shape), next: next.do }];
}

/** An event without its data. */
export function shape({ type, command }: { readonly type: string; readonly command: number | null }): string {
  return command === null ? type : `${type}/${command}`;
}
