/** A statement as the server gets it. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
  /** Names SQL text that comes again and again, so that the server need not read it every time; unique to that text. */
  readonly name?: string;
}

/** What came of a statement. */
export interface StatementResult {
  readonly rows: readonly object[];
  /** How many rows it changed. */
  readonly count: number;
}

/** A connection to a server, used by one transaction at a time. */
export interface Connection {
  /**
   * Executes statements in order, in one trip where the driver can do that. When one fails, those after it are not executed, or
   * fail too; the first failure is thrown.
   */
  send(statements: readonly Statement[]): Promise<readonly StatementResult[]>;
}

/** The connections of an adapter. */
export interface ConnectionPool {
  /** Connects once, so that a server that cannot be reached says so. */
  open(): Promise<void>;
  /** Lends a connection for as long as `use` takes. One that `use` has failed with and could not bring in order is thrown away. */
  with<T>(use: (connection: Connection) => Promise<T>): Promise<T>;
  /**
   * Has the connection of a transaction of the caller's used. What the caller asks it for meanwhile, as a commit, waits.
   * @throws UsageError `invalid-argument` for anything else, and for a transaction that is over
   */
  join<T>(transaction: unknown, use: (connection: Connection) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
