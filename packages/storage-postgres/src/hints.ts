import { createHash } from "node:crypto";
import { tidings, type TopicCode } from "@perdure/storage-sql";

/** A notification holds less than 8000 bytes. */
const MAX_LENGTH = 7_000;

/** For so long somebody polls who says so. */
const POLLED_SECONDS = 60;

/** The server's, whatever clock the store has; as a text that is as long until the year 2286. */
function millisIn(seconds: number): string {
  return `floor((extract(epoch from clock_timestamp()) + ${seconds}) * 1000)::bigint::text`;
}

/** What a hint says. `origin`: whose process need not hear it; empty if all are to. */
export function hintOf(origin: string, topics: ReadonlySet<TopicCode>): string {
  return tidings(origin, topics, MAX_LENGTH);
}

/**
 * How hints travel: by notification to those who listen, and by a pulse in a table to those who poll because they cannot. Pulses are
 * only left while somebody polls, who also removes them.
 */
export class HintSql {
  readonly channel: string;
  /** The table of pulses. */
  readonly pulses: string;
  /** Tells that somebody polls. */
  readonly announce: string;
  readonly #schema: string;

  constructor(schema: string) {
    // Names of channels are no longer than others.
    this.channel = `perdure_${createHash("sha256").update(schema).digest("hex").slice(0, 16)}`;
    this.#schema = `"${schema.replaceAll('"', '""')}"`;
    this.pulses = `${this.#schema}.perdure_pulse`;
    this.announce =
      `insert into ${this.#schema}.perdure_meta (key, value) values ('polled_until', ${millisIn(POLLED_SECONDS)}) ` +
      "on conflict (key) do update set value = excluded.value";
  }

  /** Gives a hint. `hint`: an SQL expression. */
  give(hint: string): string {
    return (
      `with pulse as (insert into ${this.pulses} (at, topics) select ${millisIn(0)}::bigint, ${hint} ` +
      `from ${this.#schema}.perdure_meta where key = 'polled_until' and value > ${millisIn(0)}) ` +
      `select pg_notify('${this.channel}', ${hint})`
    );
  }
}
