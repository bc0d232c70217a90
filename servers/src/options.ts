/** Of a server of a test's own. */
export interface ServerOptions {
  /** Settings in the server's own words, for example `{ max_connections: 20 }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** The administrator's, who is otherwise not asked for one. The server's `url` has it. */
  readonly password?: string;
}
