import { activityData, CLOSED_DATA, type Held, OUTPUT } from "./held.ts";
import { randomId } from "./random-id.ts";

/** So many runs as a table: this has no place for parameters that a server would take in one piece. */
function headsOf(held: readonly Held[]): string {
  const rows = held.map(({ no, seq }, at) =>
    at === 0
      ? `select ${no} as run, ${seq} as head, '${randomId()}' as commit_id`
      : `select ${no}, ${seq}, '${randomId()}'`,
  );
  return rows.join(" union all ");
}

function numbersOf(held: readonly Pick<Held, "no">[]): string {
  return held.map(({ no }) => no).join(",");
}

/** The first trip of a claim: which runs. */
export function chooseText(lane: number, now: number, limit: number): string {
  return `start transaction; select run as no from perdure_tasks where lane = ${lane} and visible_at <= ${now}
    order by visible_at limit ${limit} for update skip locked`;
}

/** The second one. */
export function leaseText(chosen: readonly Pick<Held, "no">[], instance: string, leaseUntil: number): string {
  const numbers = numbersOf(chosen);
  return `update perdure_tasks
    set epoch = epoch + 1, deliveries = deliveries + 1, visible_at = ${leaseUntil}, instance = '${instance}', worker = 'floor'
    where run in (${numbers}) and seq = 0;
    select t.run, t.epoch, t.deliveries, t.last_seq, t.inbox_last, t.inbox_acked, t.commit_id,
      r.id, r.incarnation, r.workflow, r.version, r.queue, r.priority, r.parent_id, r.input, r.created_at, r.deadline_at,
      r.base_seq, e.seq, e.type, e.command, e.at, e.data
    from perdure_tasks as t join perdure_runs as r on r.no = t.run join perdure_events as e on e.run = t.run
    where t.run in (${numbers}) and t.seq = 0 order by e.run, e.seq;
    commit`;
}

/** The first trip of a commit: the heads, locked. */
export function lockText(held: readonly Held[]): string {
  return `start transaction; select run as no, epoch, last_seq as seq from perdure_tasks
    where run in (${numbersOf(held)}) and seq = 0 for update`;
}

/** The second one, for runs that go on. */
export function holdText(held: readonly Held[], activity: number, now: number): string {
  const events = held.map((run) => completed(run, activity, now));
  return `insert into perdure_events (run, seq, type, command, at, data) values ${events.join(",")};
    update perdure_tasks as t join (${headsOf(held)}) as args on t.run = args.run and t.seq = 0
    set t.last_seq = args.head + 1, t.commit_id = args.commit_id, t.inbox_acked = 0, t.deliveries = 0;
    commit`;
}

/** The second one, for runs that end. */
export function closeText(held: readonly Held[], activity: number, now: number): string {
  const events = held.flatMap((run) => [
    completed(run, activity, now),
    `(${run.no},${run.seq + 2},'WORKFLOW_COMPLETED',null,${now},'${CLOSED_DATA}')`,
  ]);
  return `insert into perdure_events (run, seq, type, command, at, data) values ${events.join(",")};
    update perdure_runs as r join (${headsOf(held)}) as args on r.no = args.run
    set r.status = 'completed', r.output = '${OUTPUT}', r.closed_at = ${now}, r.last_seq = args.head + 2,
      r.commit_id = args.commit_id;
    delete from perdure_tasks where run in (${numbersOf(held)}) and seq = 0;
    commit`;
}

/** The data has nothing that would have to be escaped. */
function completed(run: Held, activity: number, now: number): string {
  return `(${run.no},${run.seq + 1},'ACTIVITY_COMPLETED',${activity},${now},'${activityData(run, activity)}')`;
}
