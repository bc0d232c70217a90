import { type ConnectionPool, PulseSignals, type TopicCode } from "@perdure/storage-sql";
import type { HintSql } from "./hints.ts";

/** Well within the time for which it counts. */
const ANNOUNCE_MS = 20_000;

type Heard = (codes: Iterable<TopicCode> | undefined) => void;

/** How a process hears that cannot listen: it reads pulses, and tells the others that it needs them. */
export class Polling {
  readonly #pool: ConnectionPool;
  readonly #sql: HintSql;
  readonly #pulses: PulseSignals;
  readonly #heard: Heard;
  #timer: NodeJS.Timeout | undefined;

  constructor(pool: ConnectionPool, sql: HintSql, origin: string, heard: Heard) {
    this.#pool = pool;
    this.#sql = sql;
    this.#pulses = new PulseSignals(pool, sql.pulses, origin);
    this.#heard = heard;
  }

  async start(): Promise<void> {
    await this.#announce();
    await this.#pulses.start(this.#heard);
    this.#timer = setInterval(() => {
      this.#announce().catch(() => {
        // The next one will. Until then it also looks by time.
      });
    }, ANNOUNCE_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#pulses.stop();
  }

  /** Where something was sent, something comes back. */
  sent(): void {
    this.#pulses.send();
  }

  async #announce(): Promise<void> {
    await this.#pool.with((connection) => connection.send([{ sql: this.#sql.announce, values: [] }]));
  }
}
