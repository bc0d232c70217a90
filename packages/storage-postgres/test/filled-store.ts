import { query } from "./scratch.ts";

const OPEN = 10_000;
const ALL = 110_000;

/** The first runs have the ids that tests use; open ones come first. Some of the finished are not completed. */
const RUNS = `insert into perdure_runs (no, ns, id, incarnation, workflow, queue, priority, start_hash, parent_id, parent_incarnation,
    input, attributes, base_seq, last_seq, discarded, status, created_at, closed_at)
  select n, 1, id, rpad(id || '-', 16, 'x'), 'order', 'main', 0, 'hash',
    case when n % 10 = 0 then 'old-' || n / 10 end, case when n % 10 = 0 then rpad('old-' || n / 10 || '-', 16, 'x') end,
    '{}', '{}', 0, 2, 0,
    case when n <= ${OPEN} then 'open' when n % 1000 = 1 then 'failed' when n % 1000 = 2 then 'cancelled' else 'completed' end,
    1000000000000 + n, case when n > ${OPEN} then 1000000000001 + n end
  from (select n, case when n <= 4 then chr(96 + n) else 'old-' || n end as id from generate_series($1::int, $2::int) n) numbers`;

/** Open runs wait without end or for long, some of them with a deadline; others are ready, or held, or blocked. */
const TASKS = `insert into perdure_tasks (run, seq, ns, lane, visible_at, deadline_at, instance, worker, epoch, deliveries, last_seq,
    inbox_last, inbox_acked, closed, blocked)
  select no, 0, 1, 1,
    case when no <= 20 then 1000 + no when no % 3 = 0 then null else 9000000000000 + no end,
    case when no % 5 = 0 then 9000000000000 end,
    case when no % 50 = 1 then 'other-' || no % 10 end, case when no % 50 = 1 then 'other' end,
    1, 0, 2, 2, 1, 0, case when no % 500 = 2 then '"why"' end
  from perdure_runs where status = 'open' and no between $1::int and $2::int`;

const ACTIVITY_TASKS = `insert into perdure_tasks (run, seq, ns, lane, visible_at, epoch, deliveries, last_seq, inbox_last,
    inbox_acked, closed)
  select no, 2, 1, 2, case when no <= 20 then 1000 + no else 9000000000000 + no end, 1, 0, 0, 0, 0, 0
  from perdure_runs where status = 'open' and no between $1::int and $2::int`;

const OTHERS = [
  `insert into perdure_activities (run, seq, input, attempt, scheduled_at)
    select no, 2, '{}', 1, 1 from perdure_runs where status = 'open' and no between $1::int and $2::int`,
  `insert into perdure_inbox (run, no, dedupe_id, external, at, data, acked_at)
    select r.no, m, 'm-' || m, 1, 1, '', case when m = 1 then 1 end
    from perdure_runs r, generate_series(1, 2) m where status = 'open' and r.no between $1::int and $2::int`,
  `insert into perdure_events (run, seq, type, command, at, data)
    select no, seq, 'SIDE_EFFECT_RECORDED', seq, created_at, '{}'
    from perdure_runs, generate_series(1, 2) seq where (status = 'open' or seq = 1) and no between $1::int and $2::int`,
  `insert into perdure_attributes (run, name, value)
    select no, 'size', 'n' || no % 1000 from perdure_runs where (status = 'open' or no % 10 = 1) and no between $1::int and $2::int`,
  `insert into perdure_cache (ns, key, value, run)
    select 1, 'key-' || no, '1', no from perdure_runs where status = 'open' and no between $1::int and $2::int`,
];

/** Adds the lanes of the runs below to a store that is set up. */
export async function addLanes(schema: string): Promise<void> {
  await query(`insert into "${schema}".perdure_lanes (no, ns, queue, kind, name, priority) values
    (1, 1, 'main', 'workflow', 'order', 0), (2, 1, 'main', 'activity', 'charge', 0)`);
}

/** Adds runs with these numbers, and all that belongs to them. */
export async function addRuns(schema: string, from: number, to = ALL): Promise<void> {
  const execute = (statement: string): Promise<unknown> =>
    query(statement.replaceAll(/perdure_[a-z]+/gu, `"${schema}".$&`), [from, to]);
  await execute(RUNS);
  await Promise.all([TASKS, ACTIVITY_TASKS, ...OTHERS].map(execute));
}

/** Tells the planner what the tables hold. */
export async function analyze(schema: string): Promise<void> {
  const tables = ["runs", "tasks", "activities", "inbox", "events", "attributes", "cache", "lanes"];
  await query(`analyze ${tables.map((name) => `"${schema}".perdure_${name}`).join(", ")}`);
}
