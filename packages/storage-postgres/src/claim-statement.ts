import type { HeaderRow, LeasedTask } from "@perdure/storage-sql";

/** A claimed task with all that its holder gets, as {@link claimStatement} answers. */
export interface ClaimedRow extends Omit<LeasedTask, "run">, HeaderRow {
  readonly now: number;
  /** What is claimed needs a closer look: nothing was claimed. */
  readonly is_special: boolean;
  readonly next_ready_at: number | null;
  /** Null in the only row of an answer without tasks. */
  readonly run: number | null;
  /** Somebody has written to the task since the statement began: what belongs to it may be of before. */
  readonly is_stale: boolean;
  /** The events after the base, if they are few: seq, type, command, at, data of each. */
  readonly events: readonly (readonly [number, string, number | null, number, string])[] | null;
}

/**
 * Claims workflow tasks in one statement and one trip: the first ready ones of each lane, the best of those; when the next one is
 * ready; and with each its run and its few events. Every part is a walk along an index that cannot be planned otherwise: one
 * lane, or one key, at a time. It claims nothing where a look at more than that is needed: at a task that this instance holds and
 * does not name, or at a run past its deadline. The time that counts is read when the tasks are locked: what others have stored with
 * them before is not later.
 *
 * Parameters: namespace, queues, workflows, instance, runs that it names, whether overdue runs count, limit, lease in ms, worker,
 * number of inline events.
 */
export function claimStatement(table: (name: string) => string, clock: string): string {
  return `
with began as materialized (select ${clock} as now),
named as materialized (select string_to_array($5, ',')::bigint[] as runs),
special as materialized (select
  exists (select from ${table("tasks")} t
    where t.ns = $1 and t.instance = $4 and (t.seq > 0 or t.run <> all ((select runs from named)::bigint[])))
  or ($6 and (select t.overdue_at from ${table("tasks")} t
    where t.ns = $1 and t.deadline_at is not null and t.overdue_at <= (select now from began)
    order by t.overdue_at limit 1) is not null) as is_special),
lanes as materialized (select l.no, l.priority from ${table("lanes")} l
  where l.ns = $1 and l.kind = 'workflow' and l.queue = any ($2::text[]) and l.name = any ($3::text[])),
picks as materialized (select p.*, l.priority as lane_priority from lanes l cross join lateral (
    select t.run, t.xmin::text as version, t.lane, t.visible_at from ${table("tasks")} t
    where t.lane = l.no and t.visible_at <= (select now from began) and t.seq = 0
    order by t.visible_at limit $7 for update skip locked) p
  where not (select is_special from special)
  order by p.visible_at - l.priority * 10000 limit $7),
clock as materialized (select ${clock} as now where (select count(*) from picks) >= 0),
leased as (update ${table("tasks")} t
  set epoch = t.epoch + 1, deliveries = t.deliveries + 1, visible_at = clock.now + $8, instance = $4, worker = $9
  from picks p, clock where t.run = p.run and t.seq = 0
  returning t.run, t.seq, t.lane, t.epoch, t.deliveries, t.last_seq, t.inbox_last, t.inbox_acked, t.commit_id, t.closed,
    t.blocked, t.visible_at, p.version, p.visible_at as was_ready_at, p.lane_priority),
next as materialized (select least(
  (select min(n.visible_at) from lanes l cross join lateral (
    select t.visible_at from ${table("tasks")} t where t.lane = l.no and t.visible_at >= 0
    order by t.visible_at offset (select count(*) from picks p where p.lane = l.no) limit 1) n),
  case when $6 then (select t.overdue_at from ${table("tasks")} t
    where t.ns = $1 and t.deadline_at is not null and t.overdue_at >= 0
      and not exists (select from picks p where p.run = t.run)
    order by t.overdue_at limit 1) end) as next_ready_at)
select clock.now, special.is_special, next.next_ready_at, c.*
from clock cross join special cross join next left join (
  select t.*, r.*,
    t.version is distinct from (select s.xmin::text from ${table("tasks")} s where s.run = t.run and s.seq = 0) as is_stale,
    case when t.last_seq - r.base_seq <= $10 then (
      select coalesce(json_agg(json_build_array(e.seq, e.type, e.command, e.at, e.data) order by e.seq), '[]') from ${table("events")} e
      where e.run = t.run and e.seq > r.base_seq) end as events
  from leased t cross join lateral (
    select r.id, r.incarnation, r.workflow, r.version, r.queue, r.priority, r.start_hash, r.parent_id, r.parent_incarnation,
      r.parent_seq, r.parent_close, r.input, r.created_at, r.deadline_at, r.base_seq
    from ${table("runs")} r where r.no = t.run offset 0) r) c on true
order by c.was_ready_at - c.lane_priority * 10000`;
}
