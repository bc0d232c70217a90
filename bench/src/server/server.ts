/** A database server as the results describe it. */
export interface Server {
  /** `PostgreSQL 15.20`. */
  readonly product: string;
  /** What decides how durable and how fast it is, in its own words. */
  readonly settings: Readonly<Record<string, string>>;
  /** Its first process, if that can be seen from here: the server runs on this machine. */
  readonly pid: number | null;
}
