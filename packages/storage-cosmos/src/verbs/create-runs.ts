import { randomUUID } from "node:crypto";
import { type CreateRunResult, copyHeader, type Millis, type NewRun } from "@perdure/core/storage";
import { readHead } from "../change-run.ts";
import type { Frame, Head } from "../documents.ts";
import { attributeKey, frameId, HEAD, laneOf, listKey } from "../ids.ts";
import { INLINE } from "../inline.ts";
import type { Partition } from "../partition.ts";
import { headerOf } from "../run-views.ts";
import type { Store } from "../store.ts";
import { TextWriter } from "../texts.ts";
import { seen, show } from "../times.ts";
import { eachRun } from "./each-run.ts";
import { finishPurge } from "./purge-runs.ts";

/** `createRuns`: a run's first batch creates its head, and the service decides who was first (I15). */
export async function createRuns(store: Store, runs: readonly NewRun[]): Promise<readonly CreateRunResult[]> {
  const now = store.now();
  return eachRun(
    runs,
    ({ runId }) => runId,
    async (same) => {
      const results: CreateRunResult[] = [];
      for (const run of same)
        results.push(await store.lines.inLine(store.run(run.runId).key, () => createRun(store, run, now)));
      return results;
    },
  );
}

async function createRun(store: Store, run: NewRun, now: Millis): Promise<CreateRunResult> {
  const partition = store.run(run.runId);
  const texts = new TextWriter(partition.key);
  const head = newHead(store, partition, run, texts, now);
  const frame = firstFrame(partition, run, texts);
  for (;;) {
    const operations = [head, frame].map((resourceBody) => ({ operationType: "Create", resourceBody }) as const);
    const answer = await partition.write(operations, texts.pages);
    if (answer.status === "done") {
      store.heads.set(partition.key, { head, etag: answer.results[0]!.etag });
      store.hint({ of: "queue", queue: run.queue });
      return { status: "created", run: { ...copyHeader(run, { createdAt: now, baseSeq: 0 }), status: "open" } };
    }
    const known = await readHead(store, partition);
    if (known === undefined) {
      await finishPurge(store, partition);
      continue;
    }
    const header = { ...(await headerOf(known.head, partition)), status: known.head.status };
    if (known.head.w === head.w) return { status: "created", run: header };
    return { status: known.head.startHash === run.startHash ? "existing" : "conflict", run: header };
  }
}

function newHead(store: Store, { key }: Partition, run: NewRun, texts: TextWriter, now: Millis): Head {
  const { runId, incarnation, workflow, version, queue, priority, startHash, parent, parentClose, deadlineAt } = run;
  const head: Head = {
    id: HEAD,
    pk: key,
    t: "head",
    ns: store.namespace,
    w: randomUUID(),
    at: now,
    live: store.namespace,
    lane: laneOf("workflow", queue, workflow),
    kind: "workflow",
    runId,
    incarnation,
    workflow,
    version,
    queue,
    priority,
    startHash,
    parent: parent && { runId: parent.runId, incarnation: parent.incarnation, seq: parent.seq },
    parentClose,
    ...(parent !== null && { parentRunId: parent.runId }),
    input: texts.write(run.input, 1_000),
    createdAt: now,
    deadlineAt,
    ...(deadlineAt !== null && { dueAt: seen(deadlineAt, now) }),
    listKey: listKey(now, runId),
    attrs: Object.entries(run.attributes).map(([name, value]) => attributeKey(name, value)),
    status: "open",
    closedAt: null,
    output: null,
    failure: null,
    state: texts.writeOrNull(run.state, 1_000, true),
    attributes: { ...run.attributes },
    baseSeq: 0,
    lastSeq: 1,
    lastCommitId: null,
    discarded: 0,
    recent: [1],
    readyAt: run.readyAt ?? now,
    epoch: 0,
    lease: null,
    deliveries: 0,
    blocked: null,
    isBlocked: false,
    inboxAcked: 0,
    inboxLast: 0,
    activities: [],
  };
  show(head, seen(run.readyAt ?? now, now));
  return head;
}

function firstFrame({ key }: Partition, { started }: NewRun, texts: TextWriter): Frame {
  const { type, command, at, data } = started;
  const events = [{ type, command, at, data: texts.write(data, INLINE) }];
  return { id: frameId(1), pk: key, t: "frame", first: 1, last: 1, events };
}
