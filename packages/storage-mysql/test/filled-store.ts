import { nameOf, query } from "./scratch.ts";

const FINISHED = 100_000;
const PARKED = 10_000;

const DIGITS =
  "(select 0 as d union all select 1 union all select 2 union all select 3 union all select 4 " +
  "union all select 5 union all select 6 union all select 7 union all select 8 union all select 9)";

/** The numbers from 0 to 99999. */
const NUMBERS = `(select a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d as n
  from ${DIGITS} as a, ${DIGITS} as b, ${DIGITS} as c, ${DIGITS} as e, ${DIGITS} as f) as numbers`;

/** Fills a store that is set up with finished runs, parked ones, and their events. */
export async function fill(databaseUrl: string): Promise<void> {
  await query(`use ${nameOf(databaseUrl)}`);
  const columns = `ns, id, incarnation, workflow, queue, priority, start_hash, input, attributes, base_seq, last_seq, discarded,
    status, created_at, closed_at`;
  const values = "1, concat('old-', n), concat('incarnation-', n), 'order', 'main', 0, 'hash', '{}', '{}', 0, 3, 0";
  await query(`insert into perdure_lanes (ns, queue, kind, name, priority) values
    (1, 'main', 'workflow', 'order', 0), (1, 'main', 'activity', 'charge', 0)`);
  await query(`insert into perdure_runs (${columns})
    select ${values}, 'completed', 1000000000000 + n, 1000000000001 + n from ${NUMBERS} where n < ${FINISHED}`);
  await query(`insert into perdure_runs (${columns})
    select ${values.replace("old-", "parked-")}, 'open', 1100000000000 + n, null from ${NUMBERS} where n < ${PARKED}`);
  await query(`insert into perdure_tasks (run, seq, ns, lane, visible_at, epoch, deliveries, last_seq, inbox_last, inbox_acked, closed)
    select no, 0, 1, 1, if(no % 2, null, 9000000000000 + no), 1, 0, 3, 0, 0, 0 from perdure_runs where status = 'open'`);
  await query(`insert into perdure_events (run, seq, type, command, at, data)
    select no, seq, 'SIDE_EFFECT_RECORDED', seq, created_at, '{}' from perdure_runs,
    (select 1 as seq union all select 2 union all select 3) as seqs`);
  await query(`insert into perdure_attributes (run, name, value)
    select no, 'size', concat('n', no % 100) from perdure_runs`);
  await query("analyze table perdure_runs, perdure_tasks, perdure_events, perdure_attributes, perdure_lanes");
}
