import type { ServerStatement, Signals, TopicCode } from "@perdure/storage-sql";
import { readTidings } from "@perdure/storage-sql";
import { hintOf, type HintSql } from "./hints.ts";
import { Listener } from "./listener.ts";
import { Polling } from "./polling.ts";
import type { PostgresPool } from "./pool.ts";

type Heard = (codes: Iterable<TopicCode> | undefined) => void;

/**
 * Hints between processes. They are sent after the commit, in a transaction of their own: one that notifies waits for all others
 * that do, and commits must not.
 */
export class PostgresSignals implements Signals {
  readonly #pool: PostgresPool;
  readonly #sql: HintSql;
  readonly #origin: string;
  #ears: Listener | Polling | undefined;
  /** What is to be sent next. */
  #topics = new Set<TopicCode>();
  #isSending = false;
  #sent: Promise<void> = Promise.resolve();

  constructor(pool: PostgresPool, sql: HintSql, origin: string) {
    this.#pool = pool;
    this.#sql = sql;
    this.#origin = origin;
  }

  async start(heard: Heard): Promise<void> {
    const ears = this.#pool.isPooled ? new Polling(this.#pool, this.#sql, this.#origin, heard) : this.#listener(heard);
    this.#ears = ears;
    await ears.start();
  }

  /** What was to be sent is sent before. */
  async stop(): Promise<void> {
    const ears = this.#ears;
    this.#ears = undefined;
    await this.#sent;
    await ears?.stop();
  }

  send(codes: ReadonlySet<TopicCode>): void {
    for (const code of codes) this.#topics.add(code);
    if (!this.#isSending) this.#sent = this.#sendAll();
  }

  /** One hint at a time: what comes meanwhile goes with the next one. Never fails: a hint may be lost. */
  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#topics.size > 0) {
      const hint = hintOf(this.#origin, this.#topics);
      this.#topics.clear();
      await this.#send(hint).catch(() => {
        // Whoever waits also looks by time.
      });
    }
    this.#isSending = false;
  }

  async #send(hint: string): Promise<void> {
    const ears = this.#ears;
    if (ears instanceof Listener && ears.isConnected) return ears.ask("hint", this.#sql.give("$1::text"), [hint]);
    await this.#pool.with((connection) => connection.send([this.#statement(hint)]));
    if (ears instanceof Polling) ears.sent();
  }

  /** On a connection that does other things, too, and may be anybody's; in one trip. Need not survive a power failure. */
  #statement(hint: string): ServerStatement {
    const give = this.#sql.give(`'${hint}'`);
    return { sql: `begin; set local synchronous_commit = off; ${give}; commit`, values: [] };
  }

  #listener(heard: Heard): Listener {
    return new Listener(this.#pool.clientConfig, this.#sql.channel, {
      hear: (payload) => {
        const topics = readTidings(payload, this.#origin);
        if (topics !== null) heard(topics);
      },
      missed: () => heard(undefined),
    });
  }
}
