import type { Column } from "./column.ts";

/** What becomes of a task: its claim goes on, or is given up until a time or a message, or its run is over and it is deleted. */
export const OUTCOMES = ["hold", "park", "done"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The columns of the tables of arguments, and their types. */
const FIELDS = {
  task: {
    run: "bigint",
    epoch: "bigint",
    head: "bigint",
    added: "bigint",
    acked: "bigint",
    commit_id: "text",
    wake_at: "bigint",
  },
  event: { run: "bigint", seq: "bigint", type: "text", command: "bigint", at: "bigint", data: "text" },
  end: { run: "bigint", last_seq: "bigint", commit_id: "text", status: "text", output: "text", failure: "text" },
} as const;

/** A table of arguments: its columns in the order of their fields. */
export interface Rows {
  readonly of: keyof typeof FIELDS;
  readonly columns: readonly Column[];
}

/** What a statement is made for. */
export interface CommitRows {
  /** Each with rows of `task`. */
  readonly outcomes: readonly (readonly [Outcome, Rows])[];
  /** Runs in the order in which their tasks are locked; null where the only outcome has that order. */
  readonly order: Column | null;
  readonly events: Rows;
  /** Null where no run is over. */
  readonly ends: Rows | null;
}

/** The parameters of {@link commitSql}. */
export function commitValues({ outcomes, order, events, ends }: CommitRows): readonly unknown[] {
  const tables = [...outcomes.map(([, rows]) => rows), events, ...(ends === null ? [] : [ends])];
  return [...(order === null ? [] : [order.value]), ...tables.flatMap(valuesOf)];
}

function valuesOf({ columns }: Rows): readonly unknown[] {
  const values = columns.filter(({ kind }) => kind !== "n").map(({ value }) => value);
  const [{ isOne, values: rows }] = columns as [Column];
  return isOne ? values : [...values, rows.length];
}

/**
 * The task is as the commit expects it, and nothing has to be looked at that is elsewhere: no message, no block. Whether somebody
 * holds it is asked in a way that no index answers: the index of all that is held is no way to a few of them.
 */
const AS_EXPECTED = `t.run = c.run and t.seq = 0 and t.epoch = c.epoch and t.last_seq = c.head and t.inbox_acked = c.acked
    and t.closed = 0 and t.blocked is null and coalesce(t.instance, '') <> '' and t.commit_id is distinct from c.commit_id`;

/**
 * Applies commits in one statement and one trip. The change of the task is the fence: what it does not find as expected is left as
 * it was, with all that belongs to it, and is missing in the answer. Rows are locked in one order, or two batches could wait for
 * each other.
 */
export function commitSql(
  { outcomes, order, events, ends }: CommitRows,
  table: (name: string) => string,
  clock: string,
): string {
  const places = new Places();
  const parts: [name: string, sql: string][] = [];
  if (order !== null) {
    parts.push([
      "locked",
      `select l.run from unnest(${places.column(order)}) as c (run) cross join lateral (
    select t.run from ${table("tasks")} t where t.run = c.run and t.seq = 0 for update) l`,
    ]);
  }
  const lock = order === null ? "" : " and (select count(*) from locked) > 0";
  for (const [outcome, rows] of outcomes) parts.push([outcome, change(outcome, places.rows(rows), table, clock, lock)]);
  parts.push(["applied", outcomes.map(([outcome]) => `select * from ${outcome}`).join(" union all ")]);
  parts.push([
    "appended",
    `insert into ${table("events")} (run, seq, type, command, at, data)
  select e.run, e.seq, e.type, e.command, e.at, e.data from ${places.rows(events)} e
  where e.run = any (array (select run from applied))`,
  ]);
  if (ends !== null) {
    parts.push([
      "ended",
      `update ${table("runs")} r set status = c.status, output = c.output, failure = c.failure, last_seq = c.last_seq, commit_id = c.commit_id,
    closed_at = (select max(now) from done)
  from ${places.rows(ends)} c where r.no = c.run and c.run = any (array (select run from done))`,
    ]);
    for (const name of ["tasks", "activities"]) {
      const left = "t.run = any (array (select run from done)) and t.seq > 0";
      parts.push([`left_${name}`, `delete from ${table(name)} t where ${left}`]);
    }
  }
  const list = parts.map(([name, sql]) => `${name} as materialized (\n  ${sql})`).join(",\n");
  return `with ${list}\nselect * from applied`;
}

/** The time is read of a row that is locked: what others have stored with it before is not later. */
function change(
  outcome: Outcome,
  source: string,
  table: (name: string) => string,
  clock: string,
  lock: string,
): string {
  const tasks = table("tasks");
  const written = "last_seq = c.head + c.added, commit_id = c.commit_id, deliveries = 0";
  const isRead = "t.inbox_last = c.acked";
  switch (outcome) {
    case "hold":
      return `update ${tasks} t set ${written}
  from ${source} c where ${AS_EXPECTED}${lock} returning t.run, t.lane, t.visible_at, t.inbox_last, ${clock} as now`;
    case "park":
      return `update ${tasks} t set ${written}, visible_at = c.wake_at, instance = null, worker = null
  from ${source} c where ${AS_EXPECTED} and ${isRead} and coalesce(c.wake_at > ${clock}, true)${lock}
  returning t.run, t.lane, t.visible_at, t.inbox_last, ${clock} as now`;
    case "done":
      return `delete from ${tasks} t using ${source} c where ${AS_EXPECTED} and ${isRead}${lock}
  returning t.run, t.lane, null::bigint as visible_at, 0::bigint as inbox_last, ${clock} as now`;
    default:
      return outcome satisfies never;
  }
}

/**
 * Numbers the parameters as they come. A table of arguments has a limit that takes nothing away: so the planner, who does not know
 * it, expects a row or two, and looks for each by key. Else a plan that was made while a table was small would read all of it.
 */
class Places {
  #count = 0;

  /** An argument, or a list of them. */
  column({ sql }: Column): string {
    const [before, after] = sql!;
    return `${before}$${++this.#count}${after}`;
  }

  rows({ of, columns }: Rows): string {
    const fields = Object.entries(FIELDS[of]);
    const names = fields.map(([name]) => name);
    const selected = columns.map((column, at) => {
      const [name, type] = fields[at]!;
      if (column.kind === "n") return `null::${type} as ${name}`;
      return column.isOne ? `$${++this.#count}::${type} as ${name}` : name;
    });
    if (columns[0]!.isOne) return `(select ${selected.join(", ")})`;
    const given = columns.flatMap((column, at) =>
      column.kind === "n" ? [] : [[names[at]!, this.column(column)] as const],
    );
    const arrays = given.map(([, array]) => array).join(", ");
    const table = `unnest(${arrays}) as u (${given.map(([name]) => name).join(", ")})`;
    return `(select ${selected.join(", ")} from ${table} limit $${++this.#count})`;
  }
}
