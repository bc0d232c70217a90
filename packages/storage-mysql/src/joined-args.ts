import { ARGS, POSITION } from "@perdure/storage-sql";
import {
  AggregateFunctionNode,
  AliasNode,
  ColumnNode,
  type DeleteQueryNode,
  FromNode,
  type OperationNode,
  type OrderByNode,
  RawNode,
  type RootOperationNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  UsingNode,
  type WhereNode,
} from "kysely";
import { type Key, keyFor } from "./keys.ts";

/** Stands in the text where the table of arguments goes. */
export const TABLE = "/* args */";

/**
 * A query joined to the table of arguments. That is read first, and rows of the other one are found by key, whatever the server
 * thinks of it while its tables are small: it would lock them as a whole. Undefined for what has no such form.
 */
export function joined(node: RootOperationNode): RootOperationNode | undefined {
  switch (node.kind) {
    case "SelectQueryNode":
      return select(node as SelectQueryNode);
    case "UpdateQueryNode": {
      const { table, where } = node as UpdateQueryNode;
      const to = other(table!, where);
      return to && ({ ...node, table: join(to) } as UpdateQueryNode);
    }
    case "DeleteQueryNode": {
      const { from, where } = node as DeleteQueryNode;
      const to = other(from.froms[0]!, where);
      return to && ({ ...node, using: UsingNode.create([join(to)]) } as DeleteQueryNode);
    }
    default:
      return undefined;
  }
}

/** A limit, or a sum, would be one for all arguments together. */
function select(node: SelectQueryNode): SelectQueryNode | undefined {
  const { from, where, limit, groupBy, selections = [], orderBy } = node;
  if (limit !== undefined || groupBy !== undefined || selections.some(isAggregate)) return undefined;
  const to = from && other(from.froms[0]!, where);
  if (to === undefined) return undefined;
  const position = SelectionNode.create(RawNode.createWithSql(`${ARGS}.${POSITION}`) as never);
  return {
    ...node,
    from: FromNode.create([join(to)]),
    selections: [position, ...selections],
    // Read by key, the rows of each argument come in its order: to sort them once more takes a temporary table.
    orderBy: isOrderOf(to.key, orderBy) ? undefined : orderBy,
  } as SelectQueryNode;
}

/** The table that arguments are joined to. */
interface Other {
  readonly table: OperationNode;
  readonly key: Key;
}

function other(table: OperationNode, where: WhereNode | undefined): Other | undefined {
  const columns = new Set<string>();
  collectColumns(where, columns);
  const key = keyFor(nameOf(table), columns);
  return key && { table, key };
}

function join({ table, key }: Other): RawNode {
  return RawNode.create([`${TABLE} as ${ARGS} straight_join `, ` force index (${key.name})`], [table]);
}

function isAggregate({ selection }: SelectionNode): boolean {
  return AggregateFunctionNode.is(AliasNode.is(selection) ? selection.node : selection);
}

/** Whether it is the order of the last column of a key. */
function isOrderOf({ columns }: Key, orderBy: OrderByNode | undefined): boolean {
  if (orderBy?.items.length !== 1) return false;
  const [{ orderBy: by, direction }] = orderBy.items as [OrderByNode["items"][number]];
  const names = new Set<string>();
  collectColumns(by, names);
  return direction === undefined && names.size === 1 && names.has(columns.at(-1)!);
}

function nameOf(table: OperationNode): string {
  const node = AliasNode.is(table) ? table.node : table;
  return TableNode.is(node) ? node.table.identifier.name : "";
}

function collectColumns(node: unknown, names: Set<string>): void {
  if (typeof node !== "object" || node === null) return;
  if (ColumnNode.is(node as OperationNode)) names.add((node as ColumnNode).column.name);
  else for (const part of Object.values(node)) collectColumns(part, names);
}
