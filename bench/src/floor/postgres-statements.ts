/** The floor's statements. All are planned once: no table in them is of unknown size to the planner's harm. */
export interface PostgresStatements {
  readonly lane: string;
  readonly claim: string;
  readonly commit: string;
  readonly close: string;
}

export function postgresStatements(schema: string): PostgresStatements {
  const table = (name: string): string => `${schema}.perdure_${name}`;
  /**
   * Columns come as one text each: arrays would cost the driver more. What a later part needs of them comes back from the first
   * write, because to join them once more would cost the server a quarter.
   */
  const args = `with args as materialized (
      select * from unnest(string_to_array($1, ',')::bigint[], string_to_array($2, ',')::bigint[],
        string_to_array($3, ',')::bigint[], string_to_array($4, ','), string_to_array($5, E'\\x1e'))
        as args (run, epoch, head, commit_id, data))`;
  const isHeld = "t.run = args.run and t.seq = 0 and t.epoch = args.epoch and t.last_seq = args.head";
  return {
    lane: `select no from ${table("lanes")}`,
    claim: `
      with chosen as materialized (
        select run from ${table("tasks")} where lane = $1 and visible_at <= $2
        order by visible_at limit $3 for update skip locked),
      leased as (
        update ${table("tasks")} as t
        set epoch = t.epoch + 1, deliveries = t.deliveries + 1, visible_at = $4, instance = $5, worker = 'floor'
        where t.run = any (array(select run from chosen)) and t.seq = 0
        returning t.run, t.epoch, t.deliveries, t.last_seq, t.inbox_last, t.inbox_acked, t.commit_id)
      select leased.*, r.id, r.incarnation, r.workflow, r.version, r.queue, r.priority, r.parent_id, r.input,
        r.created_at, r.deadline_at, r.base_seq, e.seq, e.type, e.command, e.at, e.data
      from leased
        cross join lateral (select * from ${table("runs")} where no = leased.run offset 0) as r
        cross join lateral (select * from ${table("events")} where run = leased.run order by seq offset 0) as e`,
    commit: `${args},
      held as (
        update ${table("tasks")} as t
        set last_seq = t.last_seq + 1, commit_id = args.commit_id, inbox_acked = 0, deliveries = 0
        from args where ${isHeld}
        returning t.run, t.last_seq, args.data)
      insert into ${table("events")} (run, seq, type, command, at, data)
      select run, last_seq, 'ACTIVITY_COMPLETED', $6, $7, data from held`,
    close: `${args},
      done as (
        delete from ${table("tasks")} as t using args where ${isHeld}
        returning args.*),
      closed as (
        update ${table("runs")} as r
        set status = 'completed', output = $8, closed_at = $7, last_seq = done.head + 2, commit_id = done.commit_id
        from done where r.no = done.run),
      ended as (
        insert into ${table("events")} (run, seq, type, command, at, data)
        select run, head + 2, 'WORKFLOW_COMPLETED', null, $7, $9 from done)
      insert into ${table("events")} (run, seq, type, command, at, data)
      select run, head + 1, 'ACTIVITY_COMPLETED', $6, $7, data from done`,
  };
}
