import {
  AliasNode,
  ColumnNode,
  FromNode,
  IdentifierNode,
  LimitNode,
  RawNode,
  SelectionNode,
  type SelectQueryNode,
  ValueNode,
  WhereNode,
} from "kysely";

const SAME_TASK = RawNode.createWithSql("run = run_ and seq = seq_");

/**
 * A query of tasks that locks what it finds, as one that locks nothing else: it looks first, and then takes each by its key if it is
 * still like that. A range of an index would be locked up to the row after its end, which is somebody else's first one; a small
 * table, as a whole.
 */
export function lockedByKey(query: SelectQueryNode, among: number): SelectQueryNode {
  const { kind, from, where, orderBy, limit, selections, endModifiers } = query;
  const keys = [renamed("run"), renamed("seq")];
  const most = LimitNode.create(ValueNode.create(among));
  const found = { kind, from, where, orderBy, selections: keys, limit: most } as SelectQueryNode;
  // Rows come in the order in which they were found.
  const tasks = RawNode.create(["", " as found_ straight_join ", " force index (primary)"], [found, ...from!.froms]);
  const isThat = WhereNode.cloneWithOperation(where!, "And", SAME_TASK);
  return { kind, from: FromNode.create([tasks]), where: isThat, limit, selections, endModifiers } as SelectQueryNode;
}

function renamed(column: string): SelectionNode {
  return SelectionNode.create(AliasNode.create(ColumnNode.create(column), IdentifierNode.create(`${column}_`)));
}
