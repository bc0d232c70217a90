import { type CompiledQuery, type CreateTableBuilder, type Kysely, type RawBuilder, sql, type SqlBool } from "kysely";
import type { SqlDialect } from "../dialect.ts";
import type { Tables } from "./tables.ts";

/** Version 1 of the schema: every table and index, as statements in the dialect's SQL. */
export function createTables(db: Kysely<Tables>, dialect: SqlDialect): readonly CompiledQuery[] {
  const { types } = dialect;
  const table = (
    name: keyof Tables,
    storage: "heap" | "clustered",
    columns: (table: CreateTableBuilder<string>) => CreateTableBuilder<string>,
    indexes: readonly Index[] = [],
  ): readonly CompiledQuery[] => {
    const made = dialect.table(columns(db.schema.createTable(name).ifNotExists()), storage);
    if (dialect.indexes === "inline") return [indexes.reduce(addIndex, made).compile()];
    return [made.compile(), ...indexes.map((index) => createIndex(db, name, index).compile())];
  };

  return [
    table("perdure_namespaces", "heap", (t) =>
      t
        .addColumn("no", types.whole, (c) => dialect.identity(c, "forever"))
        .addColumn("name", types.id, (c) => c.notNull().unique())
        .addColumn("discarded", types.whole, (c) => c.notNull()),
    ),
    table("perdure_lanes", "heap", (t) =>
      t
        .addColumn("no", types.whole, (c) => dialect.identity(c, "forever"))
        .addColumn("ns", types.whole, (c) => c.notNull())
        .addColumn("queue", types.id, (c) => c.notNull())
        .addColumn("kind", types.id, (c) => c.notNull())
        .addColumn("name", types.id, (c) => c.notNull())
        .addColumn("priority", types.whole, (c) => c.notNull())
        .addUniqueConstraint("perdure_lanes_key", ["ns", "queue", "kind", "name", "priority"]),
    ),
    table(
      "perdure_runs",
      "heap",
      (t) =>
        t
          .addColumn("no", types.whole, (c) => dialect.identity(c, "forever"))
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
          .addColumn("discarded", types.whole, (c) => c.notNull()),
      [
        // The order of pages (I19); the workflow's name is in it so that a filter by name reads no rows in vain.
        { name: "perdure_runs_listed", columns: ["ns", "created_at", "id", "workflow"] },
        // Nearly all runs of an old store are completed: what is looked for are the others.
        {
          name: "perdure_runs_notable",
          columns: ["ns", "status", "created_at", "id"],
          where: sql`status <> 'completed'`,
        },
        { name: "perdure_runs_closed", columns: ["ns", "closed_at"], where: sql`closed_at is not null` },
        {
          name: "perdure_runs_children",
          columns: ["ns", "parent_id", "created_at", "id"],
          where: sql`parent_id is not null`,
        },
        // The last one: where a planner knows nothing of a table yet, the order of pages seems to be as good a way to one id, and Postgres
        // takes the newer index then.
        { name: "perdure_runs_id", columns: ["ns", "id"], unique: true },
      ],
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
    table(
      "perdure_tasks",
      "clustered",
      (t) =>
        t
          .addColumn("run", types.whole, (c) => c.notNull())
          .addColumn("seq", types.whole, (c) => c.notNull())
          .addColumn("ns", types.whole, (c) => c.notNull())
          .addColumn("lane", types.whole, (c) => c.notNull())
          .addColumn("visible_at", types.whole)
          .addColumn("deadline_at", types.whole)
          .addColumn("overdue_at", types.whole, (c) =>
            c
              .generatedAlwaysAs(
                sql`case when deadline_at > visible_at then deadline_at when deadline_at is not null then visible_at end`,
              )
              .stored(),
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
      // A commit that holds changes no column of these.
      [
        { name: "perdure_tasks_lane", columns: ["lane", "visible_at"] },
        { name: "perdure_tasks_held", columns: ["ns", "instance"], where: sql`instance is not null` },
        { name: "perdure_tasks_overdue", columns: ["ns", "overdue_at"], where: sql`deadline_at is not null` },
        {
          name: "perdure_tasks_blocked",
          columns: ["ns", "lane"],
          where: sql`blocked is not null`,
          inline: ["ns", sql`blocked(1)`],
        },
      ],
    ),
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
    table(
      "perdure_attributes",
      "clustered",
      (t) =>
        t
          .addColumn("run", types.whole, (c) => c.notNull())
          .addColumn("name", types.id, (c) => c.notNull())
          .addColumn("value", types.key, (c) => c.notNull())
          .addPrimaryKeyConstraint("perdure_attributes_key", ["run", "name"]),
      [{ name: "perdure_attributes_value", columns: ["name", "value", "run"] }],
    ),
    table(
      "perdure_cache",
      "clustered",
      (t) =>
        t
          .addColumn("ns", types.whole, (c) => c.notNull())
          .addColumn("key", types.key, (c) => c.notNull())
          .addColumn("value", types.payload, (c) => c.notNull())
          .addColumn("expires_at", types.whole)
          .addColumn("run", types.whole)
          .addPrimaryKeyConstraint("perdure_cache_key", ["ns", "key"]),
      [{ name: "perdure_cache_run", columns: ["run"], where: sql`run is not null` }],
    ),
    table("perdure_pulse", "heap", (t) =>
      t
        .addColumn("no", types.whole, (c) => dialect.identity(c, "present"))
        .addColumn("at", types.whole, (c) => c.notNull())
        .addColumn("topics", types.payload, (c) => c.notNull()),
    ),
  ].flat();
}

interface Index {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique?: true;
  /** Where an index may leave rows out: those that it holds. */
  readonly where?: RawBuilder<SqlBool>;
  /** Where it may not: other columns, that tell those rows apart. */
  readonly inline?: readonly (string | RawBuilder<unknown>)[];
}

function createIndex(db: Kysely<Tables>, table: keyof Tables, { name, columns, unique, where }: Index) {
  const builder = db.schema.createIndex(name).on(table);
  const index = (unique ? builder.unique() : builder).columns([...columns]);
  return where === undefined ? index : index.where(where);
}

function addIndex(
  table: CreateTableBuilder<string>,
  { name, columns, unique, inline }: Index,
): CreateTableBuilder<string> {
  if (unique) return table.addUniqueConstraint(name, [...columns] as never[]);
  return table.addIndex(name, [...(inline ?? columns)] as never[]);
}
