import {
  argColumn,
  compile,
  kyselyFor,
  POSITION,
  type Query,
  type Referenced,
  referenced,
  type ServerStatement,
  type SqlWords,
} from "@perdure/storage-sql";
import { createQueryId } from "kysely";
import { joined, TABLE } from "./joined-args.ts";
import { literal } from "./literal.ts";

/** Writes one statement for these arguments; undefined if that cannot be. */
type Write = (args: readonly object[]) => string | undefined;

/**
 * Queries as one statement for many arguments: an insert of many rows, or a join with a table of arguments. Of all forms of such a
 * table, MySQL and MariaDB both know the union of its rows. It comes first, so that rows of the other table are found by key.
 */
export class ManySql {
  readonly #words: SqlWords;
  readonly #db: ReturnType<typeof kyselyFor>;
  readonly #maxLength: number;
  readonly #writers: (Write | undefined)[] = [];

  /** @param maxLength longer statements are not made */
  constructor(words: SqlWords, maxLength: number) {
    this.#words = words;
    this.#db = kyselyFor(words);
    this.#maxLength = maxLength;
  }

  statement(source: Query, args: readonly object[]): ServerStatement | undefined {
    const write = (this.#writers[source.id] ??= this.#writer(source));
    const sql = write(args);
    return sql === undefined || sql.length > this.#maxLength ? undefined : { sql, values: [] };
  }

  #writer(source: Query): Write {
    const one = referenced(source, this.#db, this.#words);
    if (one.node.kind === "InsertQueryNode") return this.#insert(source);
    const form = one.columns.length === 0 ? undefined : joined(one.node);
    if (form === undefined) return () => undefined;
    const { sql } = this.#db.getExecutor().compileQuery(form, createQueryId());
    const [before, after] = sql.split(TABLE) as [string, string];
    const isChange = one.node.kind !== "SelectQueryNode";
    return (args) => {
      const rows = args.map((arg) => one.columns.map((valueOf) => literal(valueOf(arg))));
      return isChange && !areDistinct(one, rows) ? undefined : before + tableOf(rows) + after;
    };
  }

  /** The row stands at the end of the text. */
  #insert(source: Query): Write {
    const { sql, bind } = compile(source, this.#db, this.#words);
    const at = sql.lastIndexOf("(");
    const [first, ...others] = sql.slice(at).split("?") as [string, ...string[]];
    const rowOf = (arg: object): string => {
      const values = bind(arg);
      return others.reduce((text, piece, index) => text + literal(values[index]) + piece, first);
    };
    return (args) => sql.slice(0, at) + args.map(rowOf).join(", ");
  }
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const [first, ...others] = rows.map((row, position) => [String(position), ...row]) as [string[], ...string[][]];
  const names = [POSITION, ...first.slice(1).map((_, column) => argColumn(column))];
  const head = first.map((value, column) => `${value} as ${names[column]}`).join(", ");
  return `(${[head, ...others.map((row) => row.join(", "))].map((row) => `select ${row}`).join(" union all ")})`;
}

/** Whether no two arguments are about the same rows: a join changes a row only once. */
function areDistinct({ conditions }: Referenced, rows: readonly (readonly string[])[]): boolean {
  if (conditions.length === 0) return true;
  return new Set(rows.map((row) => conditions.map((column) => row[column]).join())).size === rows.length;
}
