import {
  type Run,
  type RunHeader,
  type RunSummary,
  type StoredEvent,
  type StoredMessage,
  copyHeader,
} from "@perdure/core/storage";
import type { Along } from "./change-run.ts";
import type { Document, Frame, Head, Message } from "./documents.ts";
import { frameId, messageId } from "./ids.ts";
import type { Partition } from "./partition.ts";

/** Messages of a batch that reads them: each has less than 33 KB beside its pages. */
const MESSAGES = 50;

export async function headerOf(head: Head, partition: Partition): Promise<RunHeader> {
  const [input] = await partition.texts([head.input]);
  return copyHeader({ ...head, input: input! }, { createdAt: head.createdAt, baseSeq: head.baseSeq });
}

export async function runOf(head: Head, partition: Partition): Promise<Run> {
  const { input, output, failure, state, blocked } = head;
  const texts = await partition.texts([input, output, failure, state, blocked]);
  return {
    ...copyHeader({ ...head, input: texts[0]! }, { createdAt: head.createdAt, baseSeq: head.baseSeq }),
    status: head.status,
    closedAt: head.closedAt,
    output: texts[1]!,
    failure: texts[2]!,
    state: texts[3]!,
    attributes: { ...head.attributes },
    lastSeq: head.lastSeq,
    lastCommitId: head.lastCommitId,
    task: taskOf(head, texts[4]!),
  };
}

export async function summaryOf(head: Head, partition: Partition): Promise<RunSummary> {
  const { runId, incarnation, workflow, version, queue, priority, parent, status, createdAt, closedAt } = head;
  const [blocked] = await partition.texts([head.blocked]);
  return {
    runId,
    incarnation,
    workflow,
    version,
    queue,
    priority,
    parent: parent && { ...parent },
    status,
    attributes: { ...head.attributes },
    createdAt,
    closedAt,
    task: taskOf(head, blocked!),
  };
}

function taskOf(head: Head, blocked: string | null): Run["task"] {
  if (head.live === undefined) return null;
  const { readyAt, lease, epoch, deliveries, inboxAcked, inboxLast } = head;
  return {
    readyAt: lease === null ? readyAt : null,
    leaseUntil: lease?.until ?? null,
    workerId: lease?.workerId ?? null,
    epoch,
    deliveries,
    blocked,
    unread: inboxLast - inboxAcked,
  };
}

/** Ids of the messages after one number, up to another. */
export function messageIds(after: number, last: number): string[] {
  return Array.from({ length: Math.max(0, last - after) }, (_, at) => messageId(after + 1 + at));
}

/** Messages after one number, up to another: they never change while they are unread. */
export async function readMessages(
  partition: Partition,
  after: number,
  last: number,
  along?: Along,
): Promise<readonly StoredMessage[]> {
  const found = await gather<Message>(partition, messageIds(after, last), along, MESSAGES);
  const texts = await partition.texts(found.map(({ data }) => data));
  return found.map(({ no, at, dedupeId }, index) => ({ no, at, dedupeId, data: texts[index]! }));
}

/** Ids of the frames that hold the events after a seq; undefined if the head does not know them. */
export function recentFrames({ recent, lastSeq }: Head, after: number): string[] | undefined {
  if (after === lastSeq) return [];
  const from = recent.findLastIndex((first) => first <= after + 1);
  return from < 0 ? undefined : recent.slice(from).map(frameId);
}

export async function readFrames(
  partition: Partition,
  ids: readonly string[],
  along?: Along,
): Promise<readonly Frame[]> {
  return gather<Frame>(partition, ids, along, ids.length);
}

/** Events of frames after a seq, in order. */
export async function eventsOf(
  partition: Partition,
  frames: readonly Frame[],
  after: number,
  limit: number,
): Promise<StoredEvent[]> {
  const events = frames.flatMap((frame) => frame.events.map((event, at) => ({ ...event, seq: frame.first + at })));
  const wanted = events.filter(({ seq }) => seq > after).slice(0, limit);
  const texts = await partition.texts(wanted.map(({ data }) => data));
  return wanted.map(({ seq, type, command, at }, index) => ({ seq, type, command, at, data: texts[index]! }));
}

async function gather<T extends Document>(
  partition: Partition,
  ids: readonly string[],
  along: Along | undefined,
  atOnce: number,
): Promise<readonly T[]> {
  const found = new Map<string, T>();
  for (const id of ids) {
    const document = along?.get(id);
    if (document !== undefined) found.set(id, document as T);
  }
  const missing = ids.filter((id) => !found.has(id));
  for (let from = 0; from < missing.length; from += atOnce) {
    for (const one of await partition.readAll<T>(missing.slice(from, from + atOnce))) {
      if (one !== undefined) found.set(one.document.id, one.document);
    }
  }
  return ids.map((id) => found.get(id)).filter((one) => one !== undefined);
}
