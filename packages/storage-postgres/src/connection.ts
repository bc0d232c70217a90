import type { Connection, Own, ServerStatement, StatementResult } from "@perdure/storage-sql";
import type { ClientBase, CustomTypesConfig, QueryResult } from "pg";
import pg from "pg";
import { isReadOnly, isSaidByServer } from "./errors.ts";

const INT8 = 20;

/** Whole numbers as numbers: all of ours are below 2^53. */
const NUMBERS: CustomTypesConfig = {
  getTypeParser: ((oid: number, format: never) => {
    const parse = pg.types.getTypeParser(oid, format) as (value: unknown) => unknown;
    if (oid !== INT8) return parse;
    return format === "text" ? Number : (value: unknown) => Number(parse(value));
  }) as never,
};

/** How a connection treats statements. */
export interface Manner {
  /** The statements of a trip go out without waiting for one another's answers. */
  readonly pipelined: boolean;
  /** Named statements stay prepared on the server; their names begin with this. Null: none is named. */
  readonly prefix: string | null;
  /** How long an answer is waited for. */
  readonly timeoutMs?: number;
  /** The session plans every statement without a look at its values: see `prepareSession`. */
  readonly plansOnce?: boolean;
  /** How it is asked while others have to wait. */
  readonly own?: Own;
}

/** For what has no name: it is planned whenever it is executed anyway, and then better for the values that it has. Until the commit. */
const PLAN_FOR_VALUES: ServerStatement = { sql: "set local plan_cache_mode = force_custom_plan", values: [] };

/** A connection of node-postgres. */
export class PostgresConnection implements Connection {
  readonly #client: ClientBase;
  readonly #manner: Manner;
  /** Why nothing can be sent any more. */
  #end: Error | undefined;

  constructor(client: ClientBase, manner: Manner) {
    this.#client = client;
    this.#manner = manner;
  }

  /** Whether it is known to be in no transaction, and not lost. */
  get isIdle(): boolean {
    // Older clients do not say.
    return this.#end === undefined && (this.#client as Partial<ClientBase>).getTransactionStatus?.() === "I";
  }

  async send(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    if (this.#end !== undefined) throw this.#end;
    try {
      const first = this.#manner.plansOnce === true ? statements.findIndex(isUnnamed) : -1;
      if (first < 0) return await this.#sendInOrder(statements);
      return (await this.#sendInOrder(statements.toSpliced(first, 0, PLAN_FOR_VALUES))).toSpliced(first, 1);
    } catch (error) {
      // What the server says leaves the connection as it is, unless it is to the wrong server.
      if (!isSaidByServer(error) || isReadOnly(error)) this.#end = error as Error;
      throw error;
    }
  }

  #sendInOrder(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    return this.#manner.pipelined ? this.#sendAll(statements) : this.#sendEach(statements);
  }

  #sendAll(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    return new Promise((resolve, reject) => {
      const results: StatementResult[] = [];
      let missing = statements.length;
      let failure: Error | undefined;
      const answered = (at: number, error: Error | null, result: QueryResult<object>): void => {
        // Those after the first failure only say that it happened.
        if (error) failure ??= error;
        else results[at] = resultOf(result);
        missing -= 1;
        if (missing > 0) return;
        if (failure === undefined) resolve(results);
        else reject(failure);
      };
      statements.forEach((statement, at) => {
        this.#client.query(this.#config(statement), (error: Error | null, result: QueryResult<object>) =>
          answered(at, error, result),
        );
      });
    });
  }

  async #sendEach(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    const { own = (call) => call() } = this.#manner;
    const results: StatementResult[] = [];
    for (const statement of statements) {
      results.push(resultOf(await own(() => this.#client.query<object>(this.#config(statement)))));
    }
    return results;
  }

  #config({ sql, values, name }: ServerStatement) {
    const { prefix, timeoutMs } = this.#manner;
    const config = { text: sql, values: values as unknown[], types: NUMBERS, query_timeout: timeoutMs };
    return name === undefined || prefix === null ? config : { ...config, name: prefix + name };
  }
}

function resultOf({ rows, rowCount }: QueryResult<object>): StatementResult {
  return { rows, count: rowCount ?? 0 };
}

function isUnnamed({ name, values }: ServerStatement): boolean {
  return name === undefined && values.length > 0;
}
