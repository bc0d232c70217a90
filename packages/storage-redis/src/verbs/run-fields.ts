import type { Attributes, Run, RunStatus, RunSummary, TaskState } from "@perdure/core/storage";
import { parseHeader } from "../header.ts";
import { instantOf, numberOf, payloadOf, type Replies, type Reply, textOf } from "../reply.ts";

/** What a page shows of a run; the script that reads pages asks for the same, in the same order. */
const SUMMARY = ["n", "s", "c", "t", "z", "a", "l", "li", "lw", "lu", "v", "ep", "dl", "bl", "ia", "il"] as const;

/** The fields of a run's hash that `getRun` reads. */
export const RUN_FIELDS = [...SUMMARY, "sh", "i", "b", "e", "k", "o", "f", "st"] as const;

type Fields = { readonly [field in (typeof RUN_FIELDS)[number]]?: Reply };

function fieldsOf(replies: Replies): Fields {
  return Object.fromEntries(replies.map((reply, i) => [RUN_FIELDS[i]!, reply])) as Fields;
}

export function runOf(runId: string, replies: Replies): Run | undefined {
  const f = fieldsOf(replies);
  if (f.n === null) return undefined;
  return {
    ...summaryIn(runId, f),
    ...parseHeader(textOf(f.s)),
    startHash: textOf(f.sh),
    input: textOf(f.i),
    baseSeq: numberOf(f.b ?? "0"),
    output: payloadOf(f.o),
    failure: payloadOf(f.f),
    state: payloadOf(f.st),
    lastSeq: numberOf(f.e),
    lastCommitId: payloadOf(f.k),
  };
}

export function summaryOf(runId: string, replies: Replies): RunSummary {
  return summaryIn(runId, fieldsOf(replies));
}

function summaryIn(runId: string, f: Fields): RunSummary {
  const { workflow, version, queue, priority, parent } = parseHeader(textOf(f.s));
  return {
    runId,
    incarnation: textOf(f.n),
    workflow,
    version,
    queue,
    priority,
    parent,
    status: textOf(f.t) as RunStatus,
    attributes: JSON.parse(payloadOf(f.a) ?? "{}") as Attributes,
    createdAt: numberOf(f.c),
    closedAt: instantOf(f.z),
    task: payloadOf(f.l) === null ? null : taskOf(f),
  };
}

function taskOf(f: Fields): TaskState {
  const isHeld = (f.li ?? "") !== "";
  return {
    readyAt: isHeld ? null : instantOf(f.v),
    leaseUntil: isHeld ? instantOf(f.lu) : null,
    workerId: isHeld ? payloadOf(f.lw) : null,
    epoch: numberOf(f.ep ?? "0"),
    deliveries: numberOf(f.dl ?? "0"),
    blocked: payloadOf(f.bl),
    unread: numberOf(f.il ?? "0") - numberOf(f.ia ?? "0"),
  };
}
