import { ARGS } from "@perdure/storage-sql";
import {
  ColumnNode,
  type OperationNode,
  OperationNodeTransformer,
  type QueryId,
  ReferenceNode,
  ValueNode,
} from "kysely";

/** Writes null in place of columns of arguments that hold nothing else: such a column would have no type. */
export class NullColumns extends OperationNodeTransformer {
  readonly #names: ReadonlySet<string>;

  constructor(names: ReadonlySet<string>) {
    super();
    this.#names = names;
  }

  protected override transformNodeImpl<T extends OperationNode>(node: T, queryId: QueryId): T {
    if (this.#isNull(node)) return ValueNode.createImmediate(null) as OperationNode as T;
    return super.transformNodeImpl(node, queryId);
  }

  #isNull(node: OperationNode): boolean {
    if (!ReferenceNode.is(node) || !ColumnNode.is(node.column)) return false;
    return node.table?.table.identifier.name === ARGS && this.#names.has(node.column.column.name);
  }
}
