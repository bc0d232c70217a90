import { isPerdureError, type Limits, type Subscription, type Topic } from "@perdure/core/storage";
import type { SqlDialect } from "./dialect.ts";
import type { Signals, SqlDriver } from "./driver.ts";
import { type LaneKey, Lanes } from "./lanes.ts";
import { Listeners } from "./listeners.ts";
import { enterNamespace, namespaceNumber } from "./namespaces.ts";
import { kyselyFor } from "./query.ts";
import { Quiet } from "./quiet.ts";
import { RunNumbers } from "./run-numbers.ts";
import type { Shortcuts } from "./shortcuts.ts";
import { isUpToDate, migrate, outdated } from "./schema/migrate.ts";
import { each, type Steps } from "./steps.ts";
import type { TopicCode } from "./topics.ts";
import { type Store, Turn } from "./turn.ts";

export interface SessionOptions {
  readonly namespace: string;
  /** `auto`: the first use creates and migrates the schema. `check`: it only refuses. */
  readonly migrate: "auto" | "check";
  readonly dialect: SqlDialect;
  readonly driver: SqlDriver;
  /** Absent where `info.capabilities.wakeups` is `none`. */
  readonly signals?: Signals;
  readonly shortcuts?: Shortcuts;
}

/** A namespace of a database, opened by its first use: runs programs in transactions, and tells whom they woke. */
export class Session {
  readonly #options: SessionOptions;
  readonly #limits: Limits;
  readonly #listeners = new Listeners();
  /** What this process expects of its next claim. */
  readonly quiet = new Quiet();
  #store: Store | undefined;
  #opening: Promise<Store> | undefined;
  #listening: Promise<void> | undefined;

  constructor(options: SessionOptions, limits: Limits) {
    this.#options = options;
    this.#limits = limits;
  }

  /** Connects and sets up, once; tries again after a failure. */
  open(): Promise<Store> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw this.#errorOf(error);
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    const { driver, signals } = this.#options;
    await this.#opening?.catch(() => {});
    await signals?.stop();
    this.#store = undefined;
    await driver.close();
  }

  /** Runs a program in a transaction that only reads. */
  async read<T>(program: (store: Store) => Steps<T>): Promise<T> {
    const store = this.#store ?? (await this.open());
    try {
      return await this.#options.driver.read(() => program(store));
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  /** Runs a program that needs the time in a transaction that only reads. */
  readAt<T>(program: (turn: Turn) => Steps<T>): Promise<T> {
    return this.read((store) => timeFirst(this.#turn(store), program));
  }

  /** Reads, where it would be a pity to write in vain. The program asks for the time itself. */
  async lookFirst<T>(program: (turn: Turn) => Steps<T | undefined>): Promise<T | undefined> {
    const { driver } = this.#options;
    if (!driver.isExclusive && !this.quiet.isNow) return undefined;
    const store = this.#store ?? (await this.open());
    const turn = this.#turn(store);
    try {
      return await driver.look(() => program(turn));
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  /** Runs a program in a transaction that writes, and then tells whom it woke. Its first request must not depend on the time. */
  write<T>(program: (turn: Turn) => Steps<T>, tx?: unknown): Promise<T> {
    return this.#write((turn) => turn.locked(program(turn)), tx);
  }

  /** Runs a program that needs the time at once in a transaction that writes, and then tells whom it woke. */
  writeAt<T>(program: (turn: Turn) => Steps<T>, tx?: unknown): Promise<T> {
    return this.#write((turn) => timeFirst(turn, program), tx);
  }

  /** Makes lanes that may be missing, in a transaction of its own; without one if they are known to be there. */
  async makeLanes(keys: readonly LaneKey[]): Promise<void> {
    const { lanes } = this.#store ?? (await this.open());
    const unknown = keys.filter((key) => !lanes.has(key));
    if (unknown.length === 0) return;
    await this.write((turn) => each(unknown, JSON.stringify, (key) => turn.lanes.get(turn.ns, key)));
  }

  /** Takes a dialect's shortcut, and then tells whom it woke. Answers with undefined where there is none. */
  async shortcut<T>(
    take: (shortcuts: Shortcuts, store: Store, topics: Set<TopicCode>) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const { shortcuts } = this.#options;
    if (shortcuts === undefined) return undefined;
    const store = this.#store ?? (await this.open());
    const topics = new Set<TopicCode>();
    try {
      const answer = await take(shortcuts, store, topics);
      this.#tell(topics);
      return answer;
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  async #write<T>(program: (turn: Turn) => Steps<T>, tx?: unknown): Promise<T> {
    const store = this.#store ?? (await this.open());
    const { dialect, driver } = this.#options;
    const isJoined = tx !== undefined;
    // What is in the caller's transaction may never be there: nothing that it teaches is remembered.
    const known = isJoined ? { ...store, numbers: new RunNumbers() } : store;
    let turn = this.#turn(known);
    const newTurn = (): Turn => (turn = this.#turn(known));
    const transaction = function* (): Steps<T> {
      newTurn();
      const result = yield* program(turn);
      yield* dialect.settle(turn.now, turn.topics, isJoined);
      return result;
    };
    try {
      if (isJoined) return await driver.join!(tx, transaction);
      const answer = await driver.write(transaction);
      turn.lanes.keep();
      this.#tell(turn.topics);
      return answer;
    } catch (error) {
      // What the transaction has added to them may not be there.
      store.numbers.clear();
      throw this.#errorOf(error);
    }
  }

  #turn(store: Store): Turn {
    const { dialect, driver } = this.#options;
    return new Turn(store, () => dialect.now(), driver.isExclusive);
  }

  async subscribe(onWake: (topic: Topic) => void): Promise<Subscription> {
    if (this.#store === undefined) await this.open();
    const subscription = this.#listeners.add(onWake);
    const close = async (): Promise<void> => {
      await subscription.close();
      await this.#listenNoMore();
    };
    try {
      await this.#listen();
    } catch (error) {
      await close();
      throw this.#errorOf(error);
    }
    return { ...subscription, close };
  }

  /** Listens to other processes, once for all who want to hear. */
  #listen(): Promise<void> {
    const { signals } = this.#options;
    this.#listening ??= (async () => signals?.start((codes) => this.#hear(codes)))();
    return this.#listening;
  }

  /** Unless somebody still wants to hear, or again. */
  async #listenNoMore(): Promise<void> {
    if (!this.#listeners.isEmpty || this.#listening === undefined) return;
    this.#listening = undefined;
    await this.#options.signals?.stop();
  }

  #tell(topics: ReadonlySet<TopicCode>): void {
    if (topics.size === 0) return;
    this.#hear(topics);
    this.#options.signals?.send(topics);
  }

  #hear(codes: Iterable<TopicCode> | undefined): void {
    this.quiet.isOver();
    this.#listeners.hear(codes);
  }

  async #connect(): Promise<Store> {
    const { driver, namespace } = this.#options;
    await driver.open();
    try {
      await this.#migrate();
      const known = await driver.read(() => namespaceNumber(namespace));
      const ns = known ?? (await driver.write(() => enterNamespace(namespace)));
      const lanes = await driver.read(() => Lanes.of(ns));
      this.#store = { ns, limits: this.#limits, numbers: new RunNumbers(), lanes };
      return this.#store;
    } catch (error) {
      await driver.close();
      throw error;
    }
  }

  async #migrate(): Promise<void> {
    const { dialect, driver } = this.#options;
    if (await this.#isUpToDate()) return;
    if (this.#options.migrate === "check") throw outdated();
    await driver.write(() => dialect.migrating(migrate(kyselyFor(dialect), dialect)));
  }

  async #isUpToDate(): Promise<boolean> {
    try {
      return await this.#options.driver.read(isUpToDate);
    } catch (error) {
      const known = this.#errorOf(error);
      // That there is no schema at all is not yet a failure.
      if (isPerdureError(known, "schema-version") && known.details["found"] === undefined) return false;
      throw known;
    }
  }

  #errorOf(error: unknown): unknown {
    return isPerdureError(error) ? error : (this.#options.dialect.errorOf(error) ?? error);
  }
}

function* timeFirst<T>(turn: Turn, program: (turn: Turn) => Steps<T>): Steps<T> {
  yield* turn.askTime();
  return yield* program(turn);
}
