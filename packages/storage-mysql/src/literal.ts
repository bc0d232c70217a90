import type { ServerStatement } from "@perdure/storage-sql";

/** What would end a text, or be read as something else in it. */
const SPECIAL = /['\\\0]/gu;

/**
 * A value as it stands in SQL. Safe on connections on which backslashes escape and whose character set is utf8mb4: all that we
 * use are made so, or checked for it.
 */
export function literal(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return `'${value.replace(SPECIAL, String.raw`\$&`)}'`;
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  throw new TypeError(`A ${typeof value} cannot stand in SQL.`);
}

/** The texts between the places of values, for SQL that comes again. */
const pieces = new Map<string, readonly string[]>();

/** A statement with its values in place. */
export function textOf({ sql, values, name }: ServerStatement): string {
  if (values.length === 0) return sql;
  let between = pieces.get(sql);
  if (between === undefined) {
    between = sql.split("?");
    if (name !== undefined) pieces.set(sql, between);
  }
  let text = between[0]!;
  values.forEach((value, at) => {
    text += literal(value) + between[at + 1]!;
  });
  return text;
}
