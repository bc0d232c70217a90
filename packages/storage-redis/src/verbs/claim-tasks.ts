import {
  type ClaimedTask,
  type ClaimRequest,
  type ClaimResult,
  type Millis,
  parseTaskId,
  type TaskId,
} from "@perdure/core/storage";
import { LIMITS } from "../info.ts";
import { lanesOf, parseLane } from "../lane.ts";
import { parseHeader } from "../header.ts";
import {
  eventsOf,
  instantOf,
  listOf,
  messagesOf,
  numberOf,
  payloadOf,
  type Reply,
  taskIdOf,
  textOf,
} from "../reply.ts";
import { SCRIPTS } from "../scripts.ts";
import { type Argument, runIdOf, shardOf } from "../shards.ts";
import type { Store } from "../store.ts";

/** What a request asks of one shard. */
interface Share {
  readonly shard: number;
  readonly limit: number;
}

/** `claimTasks` */
export async function claimTasks(store: Store, given: ClaimRequest): Promise<ClaimResult> {
  const limit = Math.min(given.limit, LIMITS.claimTasks);
  // Copied before anything is awaited.
  const request: ClaimRequest = { ...given, holding: [...given.holding] };
  if (given.taskIds !== undefined) return claimNamed(store, request, [...given.taskIds], limit);
  const lanes = lanesOf(given);
  const what = [false, lanes];
  if (store.shards > 1) return claimInOrder(store, request, what, limit);
  return resultOf([await ask(store, request, { shard: 0, limit }, what)], request);
}

/** When to look again for shards that did not answer. */
const AGAIN_MS = 1_000;

/**
 * All shards are asked what they would hand out, and then only those for tasks that have the first of it: so the order of claiming holds over
 * all of them that answer. What others took in between leaves room, as long as something is ready.
 */
async function claimInOrder(
  store: Store,
  request: ClaimRequest,
  what: readonly Argument[],
  limit: number,
): Promise<ClaimResult> {
  const shards = Array.from({ length: store.shards }, (_, shard) => shard);
  const taken: Answer[] = [];
  let { holding } = request;
  let left = limit;
  for (;;) {
    const asked = { ...request, holding };
    const share = left;
    // Each round takes what the one before has left.
    const seen = await store.answering.ask(shards, (shard) => ask(store, asked, { shard, limit: share }, what, true));
    const counts = firstOf(seen, left);
    const chosen = shards.filter((shard) => counts[shard]! > 0);
    const given = await store.answering.ask(chosen, (shard) =>
      ask(store, asked, { shard, limit: counts[shard]! }, what),
    );
    const answers = seen.flatMap((answer, shard) => {
      if (answer === undefined) return [];
      if (counts[shard]! > 0) return given[chosen.indexOf(shard)] ?? [];
      return answer.ranks.length > 0 ? { ...answer, nextReadyAt: answer.now } : answer;
    });
    taken.push(...answers.map((answer) => ({ ...answer, nextReadyAt: null })));
    const ids = answers.flatMap(({ tasks }) => tasks.map((task) => taskIdOf(listOf(task)[1])));
    holding = [...holding, ...ids];
    left -= ids.length;
    const areAll = answers.length === shards.length;
    const isSure = counts.reduce((sum, count) => sum + count, 0) === ids.length;
    if (isSure || left === 0 || !areAll) {
      const rest = answers.map((answer) => ({ ...answer, tasks: [] }));
      const result = resultOf([...taken, ...rest], request);
      return areAll ? result : { ...result, nextReadyAt: earlier(result.nextReadyAt, result.now + AGAIN_MS) };
    }
  }
}

function earlier(one: Millis | null, other: Millis): Millis {
  return Math.min(one ?? other, other);
}

async function claimNamed(
  store: Store,
  request: ClaimRequest,
  taskIds: readonly TaskId[],
  limit: number,
): Promise<ClaimResult> {
  const byShard = new Map<number, TaskId[]>([[0, []]]);
  for (const id of taskIds) {
    const shard = shardOf(runIdOf(id), store.shards);
    byShard.set(shard, [...(byShard.get(shard) ?? []), id]);
  }
  const answers: Answer[] = [];
  let left = limit;
  for (const [shard, ids] of byShard) {
    if (left === 0 || (ids.length === 0 && byShard.size > 1)) continue;
    // The limit is for all together.
    const answer = await ask(store, request, { shard, limit: left }, [true, ids]);
    answers.push(answer);
    left -= answer.tasks.length;
  }
  return resultOf(answers, request);
}

interface Answer {
  readonly now: Millis;
  readonly nextReadyAt: Millis | null;
  readonly tasks: readonly Reply[];
  /** Of the tasks, or of those that would be handed out. */
  readonly ranks: readonly Reply[];
}

async function ask(
  store: Store,
  request: ClaimRequest,
  { shard, limit }: Share,
  what: readonly Argument[],
  onlyLooks = false,
): Promise<Answer> {
  const { workerId, workerInstance, leaseMs, inlineEvents, overdue } = request;
  const holding = request.holding.filter((id) => shardOf(runIdOf(id), store.shards) === shard);
  const reply = await store.run(SCRIPTS.claim, shard, [
    onlyLooks,
    workerId,
    workerInstance,
    leaseMs,
    limit,
    inlineEvents,
    overdue,
    holding,
    ...what,
  ]);
  const [now, nextReadyAt, tasks, ranks, isNewLife] = reply;
  if (isNewLife === "1") store.connection.rewriteLogs();
  return { now: store.noted(now), nextReadyAt: instantOf(nextReadyAt), tasks: listOf(tasks), ranks: listOf(ranks) };
}

/** How many of the tasks with the least ranks lie in each shard. */
function firstOf(seen: readonly (Answer | undefined)[], limit: number): number[] {
  const all = seen.flatMap((answer, shard) => answer?.ranks.map((rank) => ({ shard, rank: rankOf(rank) })) ?? []);
  const counts = seen.map(() => 0);
  for (const { shard } of all.toSorted(byRank).slice(0, limit)) counts[shard]! += 1;
  return counts;
}

/** Tasks whose claim was forgotten come first; those that were named have no order. */
function rankOf(reply: Reply | undefined): number {
  return reply === "-inf" ? -Number.MAX_VALUE : numberOf(reply);
}

function byRank(one: { readonly rank: number }, other: { readonly rank: number }): number {
  return one.rank - other.rank;
}

function resultOf(answers: readonly Answer[], { leaseMs }: ClaimRequest): ClaimResult {
  const times = answers.flatMap(({ nextReadyAt }) => (nextReadyAt === null ? [] : [nextReadyAt]));
  const tasks = answers.flatMap((answer) =>
    answer.tasks.map((reply, i) => ({ reply, rank: rankOf(answer.ranks[i]), leaseUntil: answer.now + leaseMs })),
  );
  return {
    now: Math.max(...answers.map(({ now }) => now)),
    tasks: tasks.toSorted(byRank).map(({ reply, leaseUntil }) => taskOf(reply, leaseUntil)),
    nextReadyAt: times.length === 0 ? null : Math.min(...times),
  };
}

function taskOf(reply: Reply, leaseUntil: Millis): ClaimedTask {
  const [kind, id, epoch, deliveries, ...fields] = listOf(reply);
  const taskId = taskIdOf(id);
  const { runId, incarnation } = parseTaskId(taskId)!;
  const claim = { taskId, runId, incarnation, epoch: numberOf(epoch) };
  const common = { claim, leaseUntil, deliveries: numberOf(deliveries) };
  if (kind === "a") {
    const [lane, priority, workflow, input, attempt, details, scheduledAt] = fields;
    const { queue, name: activity } = parseLane(textOf(lane));
    return {
      kind: "activity",
      ...common,
      workflow: textOf(workflow),
      task: {
        taskId,
        activity,
        queue,
        priority: numberOf(priority),
        input: textOf(input),
        attempt: numberOf(attempt),
        details: payloadOf(details),
      },
      scheduledAt: numberOf(scheduledAt),
    };
  }
  const [status, blocked, foreign, acked, messages, events, head, commitId, base, header, input, createdAt, startHash] =
    fields;
  const baseSeq = numberOf(base);
  return {
    kind: "workflow",
    ...common,
    run: {
      runId,
      incarnation,
      startHash: textOf(startHash),
      ...parseHeader(textOf(header)),
      input: textOf(input),
      createdAt: numberOf(createdAt),
      baseSeq,
    },
    lastSeq: numberOf(head),
    lastCommitId: payloadOf(commitId),
    closed: status !== "open",
    blocked: payloadOf(blocked),
    onlyTimeOut: foreign === "1",
    inboxAcked: numberOf(acked),
    messages: messagesOf(messages),
    events: events === null ? null : eventsOf(events, baseSeq),
  };
}
