/** A unique key: its name, and its columns. */
export interface Key {
  readonly name: string;
  readonly columns: readonly string[];
}

/** The unique keys of tables that have others than `run` and `seq`. */
const KEYS: Readonly<Record<string, readonly Key[]>> = {
  perdure_namespaces: [{ name: "primary", columns: ["no"] }],
  perdure_lanes: [
    { name: "primary", columns: ["no"] },
    { name: "perdure_lanes_key", columns: ["ns", "queue", "kind", "name"] },
  ],
  perdure_runs: [
    { name: "primary", columns: ["no"] },
    { name: "perdure_runs_id", columns: ["ns", "id"] },
  ],
  perdure_inbox: [
    { name: "perdure_inbox_dedupe", columns: ["run", "dedupe_id"] },
    { name: "primary", columns: ["run", "no"] },
    { name: "primary", columns: ["run"] },
  ],
  perdure_cache: [
    { name: "primary", columns: ["ns", "key"] },
    { name: "perdure_cache_run", columns: ["run"] },
  ],
  perdure_attributes: [{ name: "primary", columns: ["run"] }],
};

const OF_RUN: readonly Key[] = [
  { name: "primary", columns: ["run", "seq"] },
  { name: "primary", columns: ["run"] },
];

/** The key by which a condition on these columns finds rows of a table. */
export function keyFor(table: string, columns: ReadonlySet<string>): Key | undefined {
  return (KEYS[table] ?? OF_RUN).find((key) => key.columns.every((column) => columns.has(column)));
}
