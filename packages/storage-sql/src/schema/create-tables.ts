import { type CompiledQuery, type CreateTableBuilder, type Kysely, sql } from "kysely";
import type { SqlDialect } from "../dialect.ts";
import type { Tables } from "./tables.ts";

/** Version 1 of the schema: every table and index, as statements in the dialect's SQL. */
export function createTables(db: Kysely<Tables>, dialect: SqlDialect): CompiledQuery[] {
  const { types } = dialect;
  const table = <C extends string>(
    name: keyof Tables,
    storage: "heap" | "clustered",
    columns: (table: CreateTableBuilder<string>) => CreateTableBuilder<string, C>,
  ): CompiledQuery => dialect.table(columns(db.schema.createTable(name)), storage).compile();

  return [
    table("perdure_namespaces", "heap", (t) =>
      t
        .addColumn("no", types.whole, (c) => dialect.identity(c))
        .addColumn("name", types.id, (c) => c.notNull().unique())
        .addColumn("discarded", types.whole, (c) => c.notNull()),
    ),
    table("perdure_lanes", "heap", (t) =>
      t
        .addColumn("no", types.whole, (c) => dialect.identity(c))
        .addColumn("ns", types.whole, (c) => c.notNull())
        .addColumn("queue", types.id, (c) => c.notNull())
        .addColumn("kind", types.id, (c) => c.notNull())
        .addColumn("name", types.id, (c) => c.notNull())
        .addColumn("priority", types.whole, (c) => c.notNull())
        .addUniqueConstraint("perdure_lanes_key", ["ns", "queue", "kind", "name", "priority"]),
    ),
    table("perdure_runs", "heap", (t) =>
      t
        .addColumn("no", types.whole, (c) => dialect.identity(c))
        .addColumn("ns", types.whole, (c) => c.notNull())
        .addColumn("id", types.id, (c) => c.notNull())
        .addColumn("incarnation", types.id, (c) => c.notNull())
        .addColumn("workflow", types.id, (c) => c.notNull())
        .addColumn("version", types.id)
        .addColumn("queue", types.id, (c) => c.notNull())
        .addColumn("priority", types.whole, (c) => c.notNull())
        .addColumn("start_hash", types.id, (c) => c.notNull())
        .addColumn("parent_id", types.id)
        .addColumn("parent_incarnation", types.id)
        .addColumn("parent_seq", types.whole)
        .addColumn("parent_close", types.id)
        .addColumn("input", types.payload, (c) => c.notNull())
        .addColumn("state", types.payload)
        .addColumn("attributes", types.payload, (c) => c.notNull())
        .addColumn("status", types.id, (c) => c.notNull())
        .addColumn("output", types.payload)
        .addColumn("failure", types.payload)
        .addColumn("created_at", types.whole, (c) => c.notNull())
        .addColumn("closed_at", types.whole)
        .addColumn("deadline_at", types.whole)
        .addColumn("base_seq", types.whole, (c) => c.notNull())
        .addColumn("last_seq", types.whole, (c) => c.notNull())
        .addColumn("commit_id", types.id)
        .addColumn("discarded", types.whole, (c) => c.notNull())
        .addUniqueConstraint("perdure_runs_id", ["ns", "id"]),
    ),
    // The order of pages (I19); the workflow's name is in it so that a filter by name reads no rows in vain.
    sql`create index perdure_runs_listed on perdure_runs (ns, created_at, id, workflow)`.compile(db),
    // Nearly all runs of an old store are completed: what is looked for are the others.
    sql`create index perdure_runs_notable on perdure_runs (ns, status, created_at, id) where status <> 'completed'`.compile(
      db,
    ),
    sql`create index perdure_runs_closed on perdure_runs (ns, closed_at) where closed_at is not null`.compile(db),
    sql`create index perdure_runs_children on perdure_runs (ns, parent_id, created_at, id) where parent_id is not null`.compile(
      db,
    ),
    table("perdure_events", "clustered", (t) =>
      t
        .addColumn("run", types.whole, (c) => c.notNull())
        .addColumn("seq", types.whole, (c) => c.notNull())
        .addColumn("type", types.id, (c) => c.notNull())
        .addColumn("command", types.whole)
        .addColumn("at", types.whole, (c) => c.notNull())
        .addColumn("data", types.payload, (c) => c.notNull())
        .addPrimaryKeyConstraint("perdure_events_key", ["run", "seq"]),
    ),
    table("perdure_tasks", "clustered", (t) =>
      t
        .addColumn("run", types.whole, (c) => c.notNull())
        .addColumn("seq", types.whole, (c) => c.notNull())
        .addColumn("ns", types.whole, (c) => c.notNull())
        .addColumn("lane", types.whole, (c) => c.notNull())
        .addColumn("visible_at", types.whole)
        .addColumn("deadline_at", types.whole)
        .addColumn("overdue_at", types.whole, (c) =>
          c.generatedAlwaysAs(sql`case when deadline_at > visible_at then deadline_at else visible_at end`),
        )
        .addColumn("instance", types.id)
        .addColumn("worker", types.id)
        .addColumn("epoch", types.whole, (c) => c.notNull())
        .addColumn("deliveries", types.whole, (c) => c.notNull())
        .addColumn("last_seq", types.whole, (c) => c.notNull())
        .addColumn("inbox_last", types.whole, (c) => c.notNull())
        .addColumn("inbox_acked", types.whole, (c) => c.notNull())
        .addColumn("commit_id", types.id)
        .addColumn("closed", types.whole, (c) => c.notNull())
        .addColumn("blocked", types.payload)
        .addPrimaryKeyConstraint("perdure_tasks_key", ["run", "seq"]),
    ),
    // A commit that holds changes no column of these.
    sql`create index perdure_tasks_lane on perdure_tasks (lane, visible_at)`.compile(db),
    sql`create index perdure_tasks_held on perdure_tasks (ns, instance) where instance is not null`.compile(db),
    sql`create index perdure_tasks_overdue on perdure_tasks (ns, overdue_at) where deadline_at is not null`.compile(db),
    sql`create index perdure_tasks_blocked on perdure_tasks (ns, lane) where blocked is not null`.compile(db),
    table("perdure_activities", "clustered", (t) =>
      t
        .addColumn("run", types.whole, (c) => c.notNull())
        .addColumn("seq", types.whole, (c) => c.notNull())
        .addColumn("input", types.payload, (c) => c.notNull())
        .addColumn("details", types.payload)
        .addColumn("attempt", types.whole, (c) => c.notNull())
        .addColumn("scheduled_at", types.whole, (c) => c.notNull())
        .addColumn("completed_by", types.id)
        .addPrimaryKeyConstraint("perdure_activities_key", ["run", "seq"]),
    ),
    table("perdure_inbox", "clustered", (t) =>
      t
        .addColumn("run", types.whole, (c) => c.notNull())
        .addColumn("no", types.whole, (c) => c.notNull())
        .addColumn("dedupe_id", types.id, (c) => c.notNull())
        .addColumn("external", types.whole, (c) => c.notNull())
        .addColumn("at", types.whole, (c) => c.notNull())
        .addColumn("data", types.payload, (c) => c.notNull())
        .addColumn("acked_at", types.whole)
        .addPrimaryKeyConstraint("perdure_inbox_key", ["run", "no"])
        .addUniqueConstraint("perdure_inbox_dedupe", ["run", "dedupe_id"]),
    ),
    table("perdure_attributes", "clustered", (t) =>
      t
        .addColumn("run", types.whole, (c) => c.notNull())
        .addColumn("name", types.id, (c) => c.notNull())
        .addColumn("value", types.key, (c) => c.notNull())
        .addPrimaryKeyConstraint("perdure_attributes_key", ["run", "name"]),
    ),
    sql`create index perdure_attributes_value on perdure_attributes (name, value, run)`.compile(db),
    table("perdure_cache", "clustered", (t) =>
      t
        .addColumn("ns", types.whole, (c) => c.notNull())
        .addColumn("key", types.key, (c) => c.notNull())
        .addColumn("value", types.payload, (c) => c.notNull())
        .addColumn("expires_at", types.whole)
        .addColumn("run", types.whole)
        .addPrimaryKeyConstraint("perdure_cache_key", ["ns", "key"]),
    ),
    sql`create index perdure_cache_run on perdure_cache (run) where run is not null`.compile(db),
    table("perdure_pulse", "heap", (t) =>
      t
        .addColumn("no", types.whole, (c) => c.primaryKey())
        .addColumn("at", types.whole, (c) => c.notNull())
        .addColumn("topics", types.payload, (c) => c.notNull()),
    ),
  ];
}
