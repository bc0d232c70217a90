import type { Signals } from "../driver.ts";
import { readTidings } from "../tidings.ts";
import type { TopicCode } from "../topics.ts";
import type { ConnectionPool } from "./connection.ts";

/** How long until the next look: after something was heard or sent, and at most. */
const LOOK_MS = { least: 2, most: 800 };

/** So many looks follow soon after something was heard or sent; then the time between them doubles. */
const SOON = 16;

/** A look is followed by a pause of so many times what it took: a busy server is not kept busy by looks. */
const PEACE = 4;

/** Numbers that were handed out and not seen: their transactions are under way, or were rolled back. So many are looked for. */
const MAX_MISSING = 64;

/** So many pulses are kept at least. */
const KEPT = 1_000;

/** One of so many writes forgets old pulses. */
const FORGET_EVERY = 200;

type Heard = (codes: Iterable<TopicCode> | undefined) => void;

interface Row {
  readonly no: number;
  readonly topics: string;
}

/**
 * Hints between processes, without a way to push them: each write that woke something leaves a pulse, which the adapter writes, and
 * every process that waits reads the new ones, often while there are some and seldom while there are none.
 */
export class PulseSignals implements Signals {
  readonly #pool: ConnectionPool;
  readonly #table: string;
  readonly #origin: string;
  #heard: Heard | undefined;
  /** The greatest number that was seen. */
  #last = 0;
  /** Smaller numbers that were not seen. */
  #missing: number[] = [];
  #waitMs: number = LOOK_MS.least;
  /** How long the last look took. */
  #tookMs = 0;
  /** Looks that are still to come soon. */
  #soon = SOON;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  /** `table`: where pulses are, as SQL. `origin`: who writes the pulses of this process, which it need not hear. */
  constructor(pool: ConnectionPool, table: string, origin: string) {
    this.#pool = pool;
    this.#table = table;
    this.#origin = origin;
  }

  async start(heard: Heard): Promise<void> {
    this.#last = await this.#newest();
    this.#missing = [];
    this.#heard = heard;
    this.#lookSoon();
  }

  async stop(): Promise<void> {
    this.#heard = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#looking;
  }

  send(): void {
    if (this.#heard !== undefined) this.#lookSoon();
    if (Math.random() < 1 / FORGET_EVERY) void this.#forget();
  }

  /** Where something happens, something else follows. */
  #lookSoon(): void {
    const isSoon = this.#waitMs === LOOK_MS.least;
    this.#waitMs = LOOK_MS.least;
    this.#soon = SOON;
    if (!isSoon || this.#timer === undefined) this.#lookLater();
  }

  #lookLater(): void {
    if (this.#looking !== undefined || this.#heard === undefined) return;
    clearTimeout(this.#timer);
    const peaceMs = Math.min(PEACE * this.#tookMs, LOOK_MS.most);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#looking = this.#look().finally(() => {
          this.#looking = undefined;
          this.#lookLater();
        });
      },
      Math.max(this.#waitMs, peaceMs),
    );
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    if (this.#soon > 0) this.#soon -= 1;
    else this.#waitMs = Math.min(this.#waitMs * 2, LOOK_MS.most);
    const startedAt = performance.now();
    try {
      const late = this.#missing.length === 0 ? "" : ` or no in (${this.#missing.join()})`;
      const rows = await this.#query(
        `select no, topics from ${this.#table} where no > ${this.#last}${late} order by no`,
      );
      for (const row of rows) this.#take(row);
    } catch {
      // The server is away: whoever waits also looks by time.
    }
    this.#tookMs = performance.now() - startedAt;
  }

  #take({ no, topics }: Row): void {
    if (no <= this.#last) this.#missing = this.#missing.filter((other) => other !== no);
    else this.#skipTo(no);
    const codes = readTidings(topics, this.#origin);
    if (codes === null) return;
    this.#waitMs = LOOK_MS.least;
    this.#soon = SOON;
    this.#heard?.(codes);
  }

  /** Numbers are handed out in order, but pulses appear when their transactions are committed. */
  #skipTo(no: number): void {
    // Those before are not looked for: they may have said anything.
    if (no - this.#last > MAX_MISSING) this.#heard?.(undefined);
    for (let other = Math.max(this.#last + 1, no - MAX_MISSING); other < no; other++) this.#missing.push(other);
    this.#missing = this.#missing.slice(-MAX_MISSING);
    this.#last = no;
  }

  async #forget(): Promise<void> {
    try {
      // Apart, or MySQL would read every pulse for it.
      const before = (await this.#newest()) - KEPT;
      await this.#query(`delete from ${this.#table} where no < ${before}`);
    } catch {
      // The next one will.
    }
  }

  async #newest(): Promise<number> {
    const [row] = await this.#query(`select coalesce(max(no), 0) as no from ${this.#table}`);
    return row!.no;
  }

  async #query(sql: string): Promise<readonly Row[]> {
    const [result] = await this.#pool.with((connection) => connection.send([{ sql, values: [] }]));
    return result!.rows as readonly Row[];
  }
}
