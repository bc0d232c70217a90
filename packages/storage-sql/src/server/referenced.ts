import {
  ColumnNode,
  type Kysely,
  type OperationNode,
  OperationNodeTransformer,
  PrimitiveValueListNode,
  type QueryId,
  ReferenceNode,
  type RootOperationNode,
  TableNode,
  ValueListNode,
  ValueNode,
  type WhereNode,
} from "kysely";
import { Argument, treeOf, type Query, valueOf } from "../query.ts";
import type { Tables } from "../schema/tables.ts";
import type { SqlWords } from "../sql-words.ts";

/** The table of arguments in a {@link Referenced} query. */
export const ARGS = "args";

/** The n-th column of {@link ARGS}. */
export function argColumn(n: number): string {
  return `a${n}`;
}

/** A query whose arguments are columns of a table, so that one statement can execute it for many of them. */
export interface Referenced {
  /** The query, without parameters: its constants stand in the text. The dialect joins the table {@link ARGS} to it. */
  readonly node: RootOperationNode;
  /** What stands in each column of the table: its value for these arguments. */
  readonly columns: readonly ((args: object) => unknown)[];
  /**
   * Numbers of the columns that its condition names. Two executions that agree in them are about the same rows: an update that is
   * joined to a table changes a row only once.
   */
  readonly conditions: readonly number[];
}

/** The query with references to columns of {@link ARGS} in place of its arguments. */
export function referenced(query: Query, db: Kysely<Tables>, dialect: SqlWords): Referenced {
  const compiled = treeOf(query, db, dialect);
  const transformer = new Referencer();
  const node = transformer.transformNode(compiled.query, compiled.queryId);
  const columns = transformer.columns.map((argument) => (args: object) => valueOf(argument, args as never));
  return { node, columns, conditions: [...transformer.conditions] };
}

class Referencer extends OperationNodeTransformer {
  readonly columns: Argument[] = [];
  readonly conditions = new Set<number>();
  #isCondition = false;

  protected override transformNodeImpl<T extends OperationNode>(node: T, queryId: QueryId): T {
    return (this.#replaced(node) as T | undefined) ?? super.transformNodeImpl(node, queryId);
  }

  protected override transformWhere(node: WhereNode, queryId: QueryId): WhereNode {
    const before = this.#isCondition;
    this.#isCondition = true;
    const where = super.transformWhere(node, queryId);
    this.#isCondition = before;
    return where;
  }

  #replaced(node: OperationNode): OperationNode | undefined {
    if (ValueNode.is(node)) return this.#known(node.value);
    if (PrimitiveValueListNode.is(node)) return ValueListNode.create(node.values.map((value) => this.#known(value)));
    return undefined;
  }

  #known(value: unknown): OperationNode {
    return value instanceof Argument ? this.#reference(value) : ValueNode.createImmediate(value);
  }

  #reference(argument: Argument): ReferenceNode {
    let at = this.columns.findIndex(({ name, index }) => name === argument.name && index === argument.index);
    if (at < 0) at = this.columns.push(argument) - 1;
    if (this.#isCondition) this.conditions.add(at);
    return ReferenceNode.create(ColumnNode.create(argColumn(at)), TableNode.create(ARGS));
  }
}
