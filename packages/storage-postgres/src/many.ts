import {
  argColumn,
  ARGS,
  kyselyFor,
  POSITION,
  type Query,
  type Referenced,
  referenced,
  type ServerStatement,
  type SqlWords,
} from "@perdure/storage-sql";
import {
  createQueryId,
  type DeleteQueryNode,
  FromNode,
  type InsertQueryNode,
  type OperationNode,
  RawNode,
  type RootOperationNode,
  type UpdateQueryNode,
  UsingNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from "kysely";
import { Column, fitOne } from "./column.ts";
import { NullColumns } from "./null-columns.ts";

/** A statement for many arguments whose columns are of certain kinds. */
interface Form {
  readonly sql: string;
  readonly name: string;
  /** Values of its own, and places of columns among them. */
  readonly parameters: readonly unknown[];
}

/** Stands among the parameters where a column of arguments goes. */
class Place {
  readonly column: number;

  constructor(column: number) {
    this.column = column;
  }
}

/** Stands where the number of arguments goes. */
const COUNT = Symbol("count");

/** Queries as one statement for many arguments, which come as a table: `unnest` of one array for each argument. */
export class ManySql {
  readonly #words: SqlWords;
  readonly #db: ReturnType<typeof kyselyFor>;
  readonly #referenced: (Referenced | undefined)[] = [];
  readonly #forms: (Map<string, Form> | undefined)[] = [];
  #count = 0;

  constructor(words: SqlWords) {
    this.#words = words;
    this.#db = kyselyFor(words);
  }

  statement(source: Query, args: readonly object[]): ServerStatement | undefined {
    const one = (this.#referenced[source.id] ??= referenced(source, this.#db, this.#words));
    if (one.columns.length === 0) return undefined;
    const columns = one.columns.map((valueOf) => new Column(args.map(valueOf)));
    if (!fitOne(columns)) return undefined;
    if (one.node.kind !== "SelectQueryNode" && !areDistinct(one.conditions, columns, args.length)) return undefined;
    const { sql, name, parameters } = this.#formOf(source, one, columns);
    const values = parameters.map((parameter) => {
      if (parameter instanceof Place) return columns[parameter.column]!.value;
      return parameter === COUNT ? args.length : parameter;
    });
    return { sql, values, name };
  }

  #formOf(source: Query, one: Referenced, columns: readonly Column[]): Form {
    const kinds = columns.map(({ kind }) => kind).join("");
    const forms = (this.#forms[source.id] ??= new Map<string, Form>());
    let form = forms.get(kinds);
    if (form === undefined) forms.set(kinds, (form = this.#compile(one, columns)));
    return form;
  }

  #compile({ node }: Referenced, columns: readonly Column[]): Form {
    const id = createQueryId();
    const nulls = new Set(columns.flatMap(({ sql }, column) => (sql === null ? [argColumn(column)] : [])));
    const typed = nulls.size === 0 ? node : new NullColumns(nulls).transformNode(node, id);
    const { sql, parameters } = this.#db.getExecutor().compileQuery(forMany(typed, tableOf(columns)), id);
    return { sql, parameters, name: `many${this.#count++}` };
  }
}

/** Whether no two arguments are about the same row: a join changes a row once. */
function areDistinct(conditions: readonly number[], columns: readonly Column[], count: number): boolean {
  if (conditions.length === 0) return true;
  const keys = new Set<string>();
  for (let at = 0; at < count; at++) keys.add(JSON.stringify(conditions.map((column) => columns[column]!.values[at])));
  return keys.size === count;
}

/**
 * The table of arguments, with the position of each row. It has a limit that takes nothing away: so the planner, who does not know
 * it, expects a row or two, and looks for each by key. Else a plan that was made while a table was small would read all of it.
 */
function tableOf(columns: readonly Column[]): OperationNode {
  const fragments: string[] = [];
  const places: OperationNode[] = [];
  const names: string[] = [];
  let text = "(select * from unnest(";
  columns.forEach(({ sql }, column) => {
    if (sql === null) return;
    const [before, after] = sql;
    fragments.push(text + before);
    text = `${after}, `;
    places.push(ValueNode.create(new Place(column)));
    names.push(argColumn(column));
  });
  fragments.push(`${text.slice(0, -2)}) with ordinality as u (${names.join(", ")}, n_) limit `, `) as ${ARGS}`);
  places.push(ValueNode.create(COUNT));
  return RawNode.create(fragments, places);
}

function forMany(node: RootOperationNode, table: OperationNode): RootOperationNode {
  switch (node.kind) {
    case "SelectQueryNode":
      // The rows of one argument keep their order: it is a loop over the table.
      return RawNode.create(
        [`select (${ARGS}.n_ - 1)::int as ${POSITION}, found_.* from `, " cross join lateral (", ") as found_"],
        [table, node],
      );
    case "InsertQueryNode":
      return { ...(node as InsertQueryNode), values: selected(node as InsertQueryNode, table) } as InsertQueryNode;
    case "UpdateQueryNode":
      return { ...(node as UpdateQueryNode), from: FromNode.create([table]) } as UpdateQueryNode;
    case "DeleteQueryNode":
      return { ...(node as DeleteQueryNode), using: UsingNode.create([table]) } as DeleteQueryNode;
    default:
      throw new Error(`There is no form for many of a ${node.kind}.`);
  }
}

/** The values of an insert, as a query of the table. */
function selected({ values }: InsertQueryNode, table: OperationNode): OperationNode {
  const [list] = ValuesNode.is(values!) ? values.values : [];
  const nodes = list !== undefined && ValueListNode.is(list) ? list.values : [];
  const fragments = ["select ", ...nodes.slice(1).map(() => ", "), " from ", ""];
  return RawNode.create(fragments, [...nodes, table]);
}
