import { type Compilable, type CompiledQuery, DummyDriver, Kysely } from "kysely";
import type { Tables } from "./schema/tables.ts";
import type { SqlWords } from "./sql-words.ts";

/** Stands in a query where an argument goes: kysely takes it for a value, so it comes out among the parameters. */
export class Argument {
  readonly name: string;
  readonly index: number | undefined;

  constructor(name: string, index?: number) {
    this.name = name;
    this.index = index;
  }
}

type Build<P extends object, R> = (db: Kysely<Tables>, args: P, dialect: SqlWords) => Compilable<R>;

/** A query that is built and compiled once for each backend, and executed with new arguments ever after. */
export interface Query<P extends object = never, R = unknown> {
  /** Dense and unique in this process: drivers keep their prepared statements in an array by it. */
  readonly id: number;
  readonly build: Build<P, R>;
  /** Executed once or rarely: not worth a prepared statement that is kept. */
  readonly isTransient: boolean;
}

/** SQL text, and where its parameters come from. */
export interface Statement {
  readonly sql: string;
  /** The values of the parameters for these arguments. */
  readonly bind: (args: object) => unknown[];
}

let queries = 0;

/**
 * Defines a query. In `build`, each member of `args` stands for a value that is known only when the query is executed: it can be
 * passed to kysely as a value, and to nothing else.
 */
export function query<P extends object, R>(build: Build<P, R>): Query<P, R> {
  return { id: queries++, build, isTransient: false };
}

/** Defines a query of which there are many, such as one for each combination of filters. */
export function transient<P extends object, R>(build: Build<P, R>): Query<P, R> {
  return { id: -1, build, isTransient: true };
}

/** Places for the elements of an argument that is a list of a length known when the query is built. */
export function elements<T>(list: readonly T[], length: number): T[] {
  const { name } = list as unknown as Argument;
  return Array.from({ length }, (_, index) => new Argument(name, index) as T);
}

/** A kysely that only writes SQL, in the words of a dialect. */
export function kyselyFor({ kysely, schema }: SqlWords): Kysely<Tables> {
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => kysely.createAdapter(),
      createQueryCompiler: () => kysely.createQueryCompiler(),
      createDriver: () => new DummyDriver(),
      createIntrospector: () => {
        throw new Error("There is no database behind this.");
      },
    },
  });
  return schema === undefined ? db : db.withSchema(schema);
}

/** Writes the query in the dialect's SQL. Done once; {@link Statement.bind} is for every execution. */
export function compile(source: Query, db: Kysely<Tables>, dialect: SqlWords): Statement {
  const { sql, parameters } = treeOf(source, db, dialect);
  const names = parameters.map((parameter) => nameOf(parameter));
  const isPlain = names.every((name) => name !== undefined);
  return {
    sql,
    bind: (values) => (isPlain ? bindNames(names, values as Values) : bindAny(parameters, values as Values)),
  };
}

/** The query as kysely has it, with an {@link Argument} for every value that is known only when it is executed. */
export function treeOf(source: Query, db: Kysely<Tables>, dialect: SqlWords): CompiledQuery {
  const args = new Proxy({}, { get: (_, name: string) => new Argument(name) });
  return source.build(db, args as never, dialect).compile();
}

type Values = Readonly<Record<string, unknown>>;

function bindNames(names: readonly string[], values: Values): unknown[] {
  const bound: unknown[] = [];
  for (const name of names) bound.push(values[name]);
  return bound;
}

/** For queries with parameters that are parts of an argument, or are known already. */
function bindAny(parameters: readonly unknown[], values: Values): unknown[] {
  return parameters.map((parameter) => valueOf(parameter, values));
}

/** The argument that a parameter is all of. */
function nameOf(parameter: unknown): string | undefined {
  return parameter instanceof Argument && parameter.index === undefined ? parameter.name : undefined;
}

/** What a parameter is for these arguments. */
export function valueOf(parameter: unknown, values: Values): unknown {
  if (!(parameter instanceof Argument)) return parameter;
  const value = values[parameter.name];
  return parameter.index === undefined ? value : (value as readonly unknown[])[parameter.index];
}
