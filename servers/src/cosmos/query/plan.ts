import { aggregateOf, topOf } from "./run.ts";
import type { Expression, Parameters, Query } from "./syntax.ts";

const FILTER = "{documentdb-formattableorderbyquery-filter}";

/** Whether the gateway leaves the query to the client, which asks each physical partition and merges. */
export function needsPlan(query: Query): boolean {
  return query.orderBy.length > 0 || query.top !== undefined || aggregateOf(query) !== undefined;
}

/** How a client asks each physical partition, and merges what they answer. */
export function planOf(text: string, query: Query, parameters: Parameters): unknown {
  const aggregate = aggregateOf(query);
  const top = query.top === undefined ? null : topOf(query, parameters);
  return {
    partitionedQueryExecutionInfoVersion: 2,
    queryInfo: {
      distinctType: "None",
      top,
      offset: null,
      limit: null,
      orderBy: query.orderBy.map(({ isDescending }) => (isDescending ? "Descending" : "Ascending")),
      orderByExpressions: query.orderBy.map(({ names }) => pathText(query.alias, names)),
      groupByExpressions: [],
      groupByAliases: [],
      aggregates: aggregate === undefined ? [] : [aggregate === "COUNT" ? "Count" : "Sum"],
      groupByAliasToAggregateType: {},
      rewrittenQuery: rewritten(text, query, top),
      hasSelectValue: query.isValue,
      hasNonStreamingOrderBy: false,
    },
    queryRanges: [{ min: "", max: "FF", isMinInclusive: true, isMaxInclusive: false }],
  };
}

function rewritten(text: string, query: Query, top: number | null): string {
  const { alias, orderBy, where, select, isValue } = query;
  const condition = where === undefined ? "" : `(${textOf(where, alias)})`;
  const aggregate = select[0]?.[1];
  if (aggregateOf(query) !== undefined)
    return `SELECT VALUE [{"item": ${textOf(aggregate!, alias)}}] FROM ${alias}${condition && ` WHERE ${condition}`}`;
  if (orderBy.length === 0) return text;
  const items = orderBy.map(({ names }) => `{"item": ${pathText(alias, names)}}`).join(", ");
  const columns = select.map(([name, value]) => `${JSON.stringify(name)}: ${textOf(value, alias)}`);
  const payload = select.length === 0 ? alias : isValue ? textOf(select[0]![1], alias) : `{${columns.join(", ")}}`;
  const orders = orderBy.map(({ names, isDescending }) => `${pathText(alias, names)} ${isDescending ? "DESC" : "ASC"}`);
  return (
    `SELECT ${top === null ? "" : `TOP ${top} `}${alias}._rid, [${items}] AS orderByItems, ${payload} AS payload FROM ${alias} ` +
    `WHERE ${condition && `${condition} AND `}(${FILTER}) ORDER BY ${orders.join(", ")}`
  );
}

function pathText(alias: string, names: readonly string[]): string {
  return (
    alias + names.map((name) => (/^[A-Za-z_]\w*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`)).join("")
  );
}

function textOf(expression: Expression, alias: string): string {
  const of = (inner: Expression): string => textOf(inner, alias);
  switch (expression.is) {
    case "value":
      return expression.value === undefined ? "undefined" : JSON.stringify(expression.value);
    case "parameter":
      return expression.name;
    case "path":
      return pathText(alias, expression.names);
    case "not":
      return `(NOT ${of(expression.of)})`;
    case "and":
    case "or":
      return `(${of(expression.left)} ${expression.is.toUpperCase()} ${of(expression.right)})`;
    case "compare":
      return `(${of(expression.left)} ${expression.by} ${of(expression.right)})`;
    case "in":
      return `(${of(expression.of)} IN (${expression.list.map(of).join(", ")}))`;
    case "call":
      return `${expression.name}(${expression.args.map(of).join(", ")})`;
    case "array":
      return `[${expression.items.map(of).join(", ")}]`;
    case "object":
      return `{${expression.entries.map(([name, value]) => `${JSON.stringify(name)}: ${of(value)}`).join(", ")}}`;
    default:
      return expression satisfies never;
  }
}
