import type { ClaimedWorkflowTask, ClaimRequest, RunHeader, StoredEvent, StoredMessage } from "@perdure/core/storage";
import { readEventsAfterBase } from "../events.ts";
import { messagesAfter } from "../inbox.ts";
import { query } from "../query.ts";
import { HEADER_COLUMNS, headerOf } from "../run-row.ts";
import { row, type Steps, together } from "../steps.ts";
import type { TaskRow } from "../tasks.ts";
import type { Store } from "../turn.ts";

/** A workflow task as it stands under its new lease. */
export type LeasedTask = Pick<
  TaskRow,
  "run" | "epoch" | "deliveries" | "last_seq" | "inbox_last" | "inbox_acked" | "commit_id" | "closed" | "blocked"
> & { readonly visible_at: number };

/** What belongs to a task that was leased, in its other tables. */
interface Belongings {
  readonly header: RunHeader;
  readonly messages: readonly StoredMessage[];
  readonly events: readonly StoredEvent[] | null;
}

/** A leased task as its new owner gets it. */
export function claimedWorkflow(
  { numbers }: Store,
  task: LeasedTask,
  { header, messages, events }: Belongings,
  onlyTimeOut: boolean,
): ClaimedWorkflowTask {
  const { runId, incarnation } = header;
  const { taskId } = numbers.add(task.run, runId, incarnation);
  return {
    kind: "workflow",
    claim: { taskId, runId, incarnation, epoch: task.epoch },
    leaseUntil: task.visible_at,
    run: header,
    lastSeq: task.last_seq,
    lastCommitId: task.commit_id,
    deliveries: task.deliveries,
    closed: task.closed === 1,
    blocked: task.blocked,
    onlyTimeOut,
    inboxAcked: task.inbox_acked,
    messages,
    events,
  };
}

/** Reads what belongs to a task; nobody else writes to it while it is leased, but for its inbox. */
export function* readBelongings(task: LeasedTask, { inlineEvents }: ClaimRequest): Steps<Belongings> {
  const leastBase = task.last_seq - inlineEvents;
  const [found, messages, events] = yield* together(
    row(findHeader, { no: task.run }),
    messagesAfter(task, task.inbox_acked),
    readEventsAfterBase(task.run, leastBase),
  );
  const header = headerOf(found!);
  return { header, messages, events: header.baseSeq < leastBase ? null : events };
}

const findHeader = query((db, args: { no: number }) =>
  db.selectFrom("perdure_runs").select(HEADER_COLUMNS).where("no", "=", args.no),
);
