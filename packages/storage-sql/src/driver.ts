import type { Steps } from "./steps.ts";
import type { TopicCode } from "./topics.ts";

/**
 * Executes programs on a database. A program is called anew if it has to be tried again. A driver that needs nobody's answer
 * gives its own at once, and the verb costs no turn of the event loop.
 */
export interface SqlDriver {
  /** Whether one transaction writes at a time: then it always pays to look before asking for the right to write. */
  readonly isExclusive: boolean;
  /** Connects; called before anything else, and again only after `close`. */
  open(): void | Promise<void>;
  /** Runs a program in one transaction that sees one moment and writes nothing. */
  read<T>(program: () => Steps<T>): T | Promise<T>;
  /** Runs a program that only reads, and for which each statement may see a moment of its own. */
  look<T>(program: () => Steps<T>): T | Promise<T>;
  /** Runs a program in one transaction that nobody else's writes disturb; what it wrote is durable when this has answered. */
  write<T>(program: () => Steps<T>): T | Promise<T>;
  /**
   * Runs a program in a transaction of the caller's, who ends it. Absent where that cannot be.
   * @throws UsageError `invalid-argument` for what is no transaction of this database
   */
  join?<T>(transaction: unknown, program: () => Steps<T>): Promise<T>;
  /** Releases everything; harmless when there is nothing. */
  close(): void | Promise<void>;
}

/** How hints travel between processes. */
export interface Signals {
  /** From now on, calls back with what other processes woke; undefined: it may be anything. */
  start(heard: (codes: Iterable<TopicCode> | undefined) => void): void | Promise<void>;
  /** Ends that, and releases its handles. */
  stop(): void | Promise<void>;
  /** After the commit of a transaction that woke these topics. */
  send(codes: ReadonlySet<TopicCode>): void;
}
