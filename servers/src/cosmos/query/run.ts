import type { Container } from "../container.ts";
import { Failure } from "../failure.ts";
import type { Item } from "../item.ts";
import { compareValues, evaluate, isTrue, valueAt } from "./evaluate.ts";
import type { Expression, Order, Parameters, Query } from "./syntax.ts";

export interface Page {
  readonly documents: readonly unknown[];
  /** Where the next page begins. */
  readonly continuation: string | undefined;
  readonly read: number;
}

/** The last item of a page: what it was ordered by, and its rid. */
interface Mark {
  readonly values: readonly unknown[];
  readonly rid: string;
  readonly left: number | null;
}

export interface Request {
  readonly query: Query;
  readonly parameters: Parameters;
  readonly place: { readonly key?: string; readonly range?: number };
  readonly pageSize: number;
  readonly continuation: string | undefined;
  readonly now: number;
}

/** One page, in the order asked for and then in that of rids. */
export function runQuery(container: Container, request: Request): Page {
  const { query, parameters, place, pageSize, now } = request;
  checkComposite(container, query.orderBy);
  const found: Item[] = [];
  for (const item of container.scan(place, now, equality(query.where, parameters))) {
    if (query.where === undefined || isTrue(query.where, item, parameters)) found.push(item);
  }
  const [only] = query.select;
  if (only !== undefined && aggregateOf(query) !== undefined)
    return { documents: [aggregate(only[1], found, parameters)], continuation: undefined, read: found.length };

  const mark = request.continuation === undefined ? undefined : (JSON.parse(request.continuation) as Mark);
  const top = mark === undefined ? topOf(query, parameters) : (mark.left ?? Infinity);
  const rest = found
    .filter((item) => mark === undefined || order(query.orderBy, item, mark) > 0)
    .toSorted((a, b) => order(query.orderBy, a, markOf(query.orderBy, b)));
  const page = rest.slice(0, Math.min(pageSize, top));
  const last = page.at(-1);
  const isMore = last !== undefined && rest.length > page.length && top > page.length;
  const left = top === Infinity ? null : top - page.length;
  return {
    documents: page.map((item) => project(query, item, parameters)).filter((one) => one !== undefined),
    continuation: isMore ? JSON.stringify({ ...markOf(query.orderBy, last), left }) : undefined,
    read: page.length,
  };
}

export function topOf({ top }: Query, parameters: Parameters): number {
  if (top === undefined) return Infinity;
  return Number(typeof top === "number" ? top : evaluate(top, {}, parameters));
}

/** `COUNT` or `SUM`, if that is all that the query asks for. */
export function aggregateOf({ isValue, select }: Query): string | undefined {
  let value = select[0]?.[1];
  // As it is asked of each physical partition, to be merged by the client: [{ item: COUNT(1) }].
  if (value?.is === "array" && value.items[0]?.is === "object") value = value.items[0].entries[0]?.[1];
  return isValue && value?.is === "call" && ["COUNT", "SUM"].includes(value.name) ? value.name : undefined;
}

function aggregate(expression: Expression, items: readonly Item[], parameters: Parameters): unknown {
  if (expression.is === "array") return expression.items.map((one) => aggregate(one, items, parameters));
  if (expression.is === "object")
    return Object.fromEntries(expression.entries.map(([name, one]) => [name, aggregate(one, items, parameters)]));
  if (expression.is !== "call") throw new Failure(400, "An aggregate cannot be mixed with anything else.");
  if (expression.name === "COUNT") return items.length;
  return items.reduce((sum, item) => sum + Number(evaluate(expression.args[0]!, item, parameters) ?? 0), 0);
}

function project({ select, isValue }: Query, item: Item, parameters: Parameters): unknown {
  const [first] = select;
  if (first === undefined) return item;
  if (isValue) return evaluate(first[1], item, parameters);
  return evaluate({ is: "object", entries: select }, item, parameters);
}

function markOf(orderBy: readonly Order[], item: Item): Omit<Mark, "left"> {
  return { values: orderBy.map(({ names }) => valueAt(item, names) ?? null), rid: item["_rid"] };
}

function order(orderBy: readonly Order[], item: Item, mark: Omit<Mark, "left">): number {
  for (const [index, { names, isDescending }] of orderBy.entries()) {
    const by = compareValues(valueAt(item, names) ?? null, mark.values[index]);
    if (by !== 0) return isDescending ? -by : by;
  }
  return compareValues(item["_rid"], mark.rid);
}

/** Several properties are ordered by an index over all of them, in the same or in the opposite directions. */
function checkComposite({ definition }: Container, orderBy: readonly Order[]): void {
  if (orderBy.length < 2) return;
  const indexes = definition.indexingPolicy?.compositeIndexes ?? [];
  const fits = indexes.some((index) => {
    if (index.length !== orderBy.length) return false;
    const sameWay = index.map(
      ({ path, order: way = "ascending" }, at) =>
        path === `/${orderBy[at]!.names.join("/")}` && (way === "descending") === orderBy[at]!.isDescending,
    );
    const otherWay = index.map(
      ({ path, order: way = "ascending" }, at) =>
        path === `/${orderBy[at]!.names.join("/")}` && (way === "descending") !== orderBy[at]!.isDescending,
    );
    return sameWay.every(Boolean) || otherWay.every(Boolean);
  });
  if (!fits)
    throw new Failure(
      400,
      "The order by query does not have a corresponding composite index that it can be served from.",
    );
}

/** A property of the item itself that must have a certain value, so that few have to be looked at. */
function equality(where: Expression | undefined, parameters: Parameters): readonly [string, unknown] | undefined {
  if (where?.is === "and") return equality(where.left, parameters) ?? equality(where.right, parameters);
  if (where?.is !== "compare" || where.by !== "=" || where.left.is !== "path" || where.left.names.length !== 1)
    return undefined;
  return [where.left.names[0]!, evaluate(where.right, {}, parameters)];
}
