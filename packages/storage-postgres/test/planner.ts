import type { ServerStatement } from "@perdure/storage-sql";
import pg from "pg";

/** A part of a plan that reads a table. */
export interface Scan {
  readonly table: string;
  readonly by: string;
  readonly index: string | undefined;
  readonly condition: string | undefined;
  /** How many rows it looked at, whether it took them or not. */
  readonly rows: number;
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly "Actual Rows"?: number;
  readonly "Actual Loops"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Says how a session executes statements. They are prepared once: as long as nobody analyzes the tables, their plans stay. */
export class Planner {
  readonly #client: pg.Client;
  readonly #names = new Map<string, string>();

  constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Executes a statement, takes back what it did, and answers what it read. */
  async scansOf({ sql, values }: ServerStatement): Promise<readonly Scan[]> {
    let name = this.#names.get(sql);
    if (name === undefined) {
      this.#names.set(sql, (name = `plan${this.#names.size}`));
      await this.#client.query(`prepare ${name} as ${sql}`);
    }
    const call = values.length === 0 ? name : `${name}(${values.map(literal).join(", ")})`;
    // What only inserts is not executed: it would find its rows there.
    const how = sql.startsWith("insert") ? "" : "analyze, timing off, ";
    await this.#client.query("begin");
    try {
      const { rows } = await this.#client.query<{ "QUERY PLAN": readonly [{ readonly Plan: PlanNode }] }>(
        `explain (${how}format json) execute ${call}`,
      );
      return scansIn(rows[0]!["QUERY PLAN"][0].Plan);
    } finally {
      await this.#client.query("rollback");
    }
  }
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map((one) => JSON.stringify(one)).join(",")}}`);
  return typeof value === "string" ? pg.escapeLiteral(value) : JSON.stringify(value);
}

function scansIn(node: PlanNode): readonly Scan[] {
  const below = (node.Plans ?? []).flatMap(scansIn);
  const { "Node Type": by, "Relation Name": table } = node;
  if (table === undefined || !by.endsWith("Scan")) return below;
  const removed = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  const rows = ((node["Actual Rows"] ?? 0) + removed) * (node["Actual Loops"] ?? 0);
  return [{ table, by, index: node["Index Name"], condition: node["Index Cond"], rows }, ...below];
}
