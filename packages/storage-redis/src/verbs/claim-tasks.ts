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
import { allDone, type Argument, runIdOf, shardOf } from "../shards.ts";
import type { Store } from "../store.ts";

/** What a request asks of one shard. */
interface Share {
  readonly shard: number;
  readonly limit: number;
}

/**
 * `claimTasks`. Where there are several shards, all are asked what they would hand out, and then only those for tasks that have the first
 * of it: so the order of claiming holds over all of them.
 */
export async function claimTasks(store: Store, request: ClaimRequest): Promise<ClaimResult> {
  const limit = Math.min(request.limit, LIMITS.claimTasks);
  // Copied before anything is awaited.
  const asked: ClaimRequest = { ...request, holding: [...request.holding] };
  const lanes = lanesOf(request);
  if (request.taskIds !== undefined) return claimNamed(store, asked, [...request.taskIds], limit);
  const what = ["lanes", lanes.length, ...lanes];
  const send = (share: Share, onlyLooks: boolean): Promise<Answer> => ask(store, asked, share, what, onlyLooks);
  if (store.shards === 1) return resultOf([await send({ shard: 0, limit }, false)], asked);

  const seen = await allDone(allShards(store).map((shard) => send({ shard, limit }, true)));
  const counts = firstOf(seen, limit);
  const taken = await allDone(
    seen.map((answer, shard) => {
      const count = counts[shard]!;
      if (count > 0) return send({ shard, limit: count }, false);
      const nextReadyAt = answer.tasks.length > 0 ? answer.now : answer.nextReadyAt;
      return Promise.resolve({ ...answer, nextReadyAt, tasks: [] });
    }),
  );
  return resultOf(taken, asked);
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
    // oxlint-disable-next-line no-await-in-loop -- the limit is for all together
    const answer = await ask(store, request, { shard, limit: left }, ["ids", ids.length, ...ids], false);
    answers.push(answer);
    left -= answer.tasks.length;
  }
  return resultOf(answers, request);
}

interface Answer {
  readonly now: Millis;
  readonly nextReadyAt: Millis | null;
  /** Tasks, or their ranks. */
  readonly tasks: readonly Reply[];
}

async function ask(
  store: Store,
  request: ClaimRequest,
  { shard, limit }: Share,
  what: readonly Argument[],
  onlyLooks: boolean,
): Promise<Answer> {
  const { workerId, workerInstance, leaseMs, inlineEvents, overdue } = request;
  const holding = request.holding.filter((id) => shardOf(runIdOf(id), store.shards) === shard);
  const reply = await store.run(SCRIPTS.claim, shard, [
    onlyLooks ? 1 : 0,
    workerId,
    workerInstance,
    leaseMs,
    limit,
    inlineEvents,
    overdue ? 1 : 0,
    holding.length,
    ...holding,
    ...what,
  ]);
  return { now: store.noted(reply[0]), nextReadyAt: instantOf(reply[1]), tasks: listOf(reply[2]) };
}

/** How many of the tasks with the least ranks lie in each shard. */
function firstOf(seen: readonly Answer[], limit: number): number[] {
  const all = seen.flatMap(({ tasks }, shard) => tasks.map((rank) => ({ shard, rank: rankOf(rank) })));
  const counts = seen.map(() => 0);
  for (const { shard } of all.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).slice(0, limit)) counts[shard]! += 1;
  return counts;
}

function rankOf(reply: Reply): number {
  return reply === "-inf" ? -Infinity : numberOf(reply);
}

function allShards({ shards }: Store): number[] {
  return Array.from({ length: shards }, (_, shard) => shard);
}

function resultOf(answers: readonly Answer[], { leaseMs }: ClaimRequest): ClaimResult {
  const times = answers.flatMap(({ nextReadyAt }) => (nextReadyAt === null ? [] : [nextReadyAt]));
  return {
    now: Math.max(...answers.map(({ now }) => now)),
    tasks: answers.flatMap(({ now, tasks }) => tasks.map((task) => taskOf(task, now + leaseMs))),
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
