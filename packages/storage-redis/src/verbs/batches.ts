import {
  type Claim,
  type CommitResult,
  copyHeader,
  type CreateRunResult,
  type DeliverResult,
  type EventPage,
  type EventRequest,
  type Millis,
  type NewMessage,
  type NewRun,
  parseTaskId,
  type RenewResult,
  type TaskCommit,
  type TaskId,
  type UnblockResult,
} from "@perdure/core/storage";
import { LIMITS } from "../info.ts";
import { eventsOf, listOf, messagesOf, numberOf, type Reply } from "../reply.ts";
import { type Script, SCRIPTS } from "../scripts.ts";
import { type Argument, type Encoded, inShards, runIdOf, shardOf } from "../shards.ts";
import type { Store } from "../store.ts";
import { committed, encodeCommit, seconds } from "./commit-tasks.ts";
import { createdRun, encodeRun } from "./create-runs.ts";

// The verbs whose elements belong to one run each.

/** Sends each element to the shard of its run. `decode` is given the time of the script that answered. */
async function each<E, R>(
  store: Store,
  script: Script,
  elements: readonly E[],
  runIdIn: (element: E) => string,
  encode: (element: E, index: number) => Encoded,
  decode: (reply: Reply | undefined, now: number) => R,
  common: readonly Argument[] = [],
): Promise<R[]> {
  return inShards(
    elements,
    (element) => shardOf(runIdIn(element), store.shards),
    encode,
    async (shard, encoded) => {
      const [now, ...replies] = await store.run(script, shard, common, encoded);
      const at = store.noted(now);
      return replies.map((reply) => decode(reply, at));
    },
  );
}

/** Runs of one batch have one `createdAt`: where one script cannot create all, the time is read before. */
export function createRuns(store: Store, runs: readonly NewRun[]): Promise<readonly CreateRunResult[]> {
  const headers = runs.map((run) => copyHeader(run, { createdAt: 0, baseSeq: 0 }));
  let at: Millis | null = null;
  return inShards(
    runs,
    ({ runId }) => shardOf(runId, store.shards),
    encodeRun,
    async (shard, encoded) => {
      const [now, createdAt, ...replies] = await store.run(SCRIPTS.create, shard, [at], encoded);
      store.noted(now);
      return replies.map((reply) => ({ reply, createdAt: numberOf(createdAt) }));
    },
    async (pieces) => {
      if (pieces > 1) at = await store.now();
    },
  ).then((answers) => answers.map(({ reply, createdAt }, i) => createdRun(headers[i]!, reply, createdAt)));
}

export function readEvents(store: Store, requests: readonly EventRequest[]): Promise<readonly EventPage[]> {
  const after = requests.map((request) => request.after);
  return inShards(
    requests,
    ({ runId }) => shardOf(runId, store.shards),
    ({ runId, incarnation, after: from, limit = LIMITS.eventPage }) => [
      runId,
      incarnation ?? null,
      from,
      Math.min(limit, LIMITS.eventPage),
    ],
    (shard, encoded) => store.run(SCRIPTS.readEvents, shard, [], encoded),
  ).then((replies) =>
    replies.map((reply, i) => {
      const [lastSeq, events] = listOf(reply);
      return { events: eventsOf(events, after[i]!), lastSeq: numberOf(lastSeq) };
    }),
  );
}

export function commitTasks(store: Store, commits: readonly TaskCommit[]): Promise<readonly CommitResult[]> {
  const areSecond = seconds(commits);
  const encode = (commit: TaskCommit, index: number): Encoded => encodeCommit(commit, areSecond[index]!);
  return each(store, SCRIPTS.commit, commits, ({ claim }) => claim.runId, encode, committed, [LIMITS.dedupeMs]);
}

export async function renewLeases(
  store: Store,
  claims: readonly Claim[],
  leaseMs: number,
): Promise<readonly RenewResult[]> {
  let now = 0;
  const results = await inShards(
    claims,
    ({ runId }) => shardOf(runId, store.shards),
    encodeClaim,
    async (shard, encoded) => {
      const [at, until, ...replies] = await store.run(SCRIPTS.renew, shard, [leaseMs], encoded);
      now = Math.max(now, store.noted(at));
      return replies.map((reply): RenewResult => {
        if (reply === null) return { status: "lost" };
        const [inboxLast, messages] = listOf(reply);
        const leaseUntil = numberOf(until);
        return { status: "held", now, leaseUntil, inboxLast: numberOf(inboxLast), messages: messagesOf(messages) };
      });
    },
  );
  // One time for all shards: the latest, so that nobody takes his lease for longer than it is.
  return results.map((result) => (result.status === "held" ? { ...result, now } : result));
}

/** One whose task is not its run's owns nothing. */
function encodeClaim({ taskId, runId, incarnation, epoch }: Claim): readonly Argument[] {
  const address = parseTaskId(taskId);
  return [taskId, address?.runId === runId && address.incarnation === incarnation ? epoch : 0];
}

export function deliver(store: Store, messages: readonly NewMessage[]): Promise<readonly DeliverResult[]> {
  const encode = ({ runId, incarnation, dedupeId, external, data }: NewMessage): readonly Argument[] => [
    runId,
    incarnation ?? null,
    dedupeId,
    external,
    data,
  ];
  return each(store, SCRIPTS.deliver, messages, ofRun, encode, delivered, [LIMITS.dedupeMs]);
}

export function unblockTasks(store: Store, taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]> {
  return each(store, SCRIPTS.unblock, taskIds, runIdOf, (taskId) => [taskId], unblocked);
}

function ofRun({ runId }: { readonly runId: string }): string {
  return runId;
}

function delivered(reply: Reply | undefined): DeliverResult {
  return { status: reply as DeliverResult["status"] };
}

function unblocked(reply: Reply | undefined): UnblockResult {
  return { status: reply as UnblockResult["status"] };
}
