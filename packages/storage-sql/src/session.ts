import { isPerdureError, type Limits, type Subscription, type Topic } from "@perdure/core/storage";
import type { SqlDialect } from "./dialect.ts";
import type { Signals, SqlDriver } from "./driver.ts";
import { Lanes } from "./lanes.ts";
import { Listeners } from "./listeners.ts";
import { enterNamespace, namespaceNumber } from "./namespaces.ts";
import { kyselyFor } from "./query.ts";
import { RunNumbers } from "./run-numbers.ts";
import { isUpToDate, migrate, outdated } from "./schema/migrate.ts";
import type { Steps } from "./steps.ts";
import type { TopicCode } from "./topics.ts";
import type { Store, Turn } from "./turn.ts";

export interface SessionOptions {
  readonly namespace: string;
  /** `auto`: the first use creates and migrates the schema. `check`: it only refuses. */
  readonly migrate: "auto" | "check";
  readonly dialect: SqlDialect;
  readonly driver: SqlDriver;
  /** Absent where `info.capabilities.wakeups` is `none`. */
  readonly signals?: Signals;
}

/** A namespace of a database, opened by its first use: runs programs in transactions, and tells whom they woke. */
export class Session {
  readonly #options: SessionOptions;
  readonly #limits: Limits;
  readonly #listeners = new Listeners();
  #store: Store | undefined;
  #opening: Promise<Store> | undefined;

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
    const { dialect } = this.#options;
    return this.read(function* (store) {
      return yield* program({ ...store, now: yield* dialect.now(), topics: new Set() });
    });
  }

  /** Runs a program in a transaction that writes, and then tells whom it woke. */
  async write<T>(program: (turn: Turn) => Steps<T>): Promise<T> {
    const store = this.#store ?? (await this.open());
    const { dialect, driver } = this.#options;
    let topics: ReadonlySet<TopicCode> = new Set();
    try {
      const answer = await driver.write(function* () {
        const turn: Turn = { ...store, now: yield* dialect.now(), topics: new Set() };
        const result = yield* program(turn);
        yield* dialect.settle(turn.now, turn.topics);
        ({ topics } = turn);
        return result;
      });
      this.#tell(topics);
      return answer;
    } catch (error) {
      // What the transaction has added to them may not be there.
      store.numbers.clear();
      store.lanes.clear();
      throw this.#errorOf(error);
    }
  }

  async subscribe(onWake: (topic: Topic) => void): Promise<Subscription> {
    if (this.#store === undefined) await this.open();
    const { signals } = this.#options;
    const isFirst = this.#listeners.isEmpty;
    const subscription = this.#listeners.add(onWake);
    if (isFirst) await signals?.start((codes) => this.#listeners.hear(codes));
    return {
      ...subscription,
      close: async () => {
        await subscription.close();
        if (this.#listeners.isEmpty) await signals?.stop();
      },
    };
  }

  #tell(topics: ReadonlySet<TopicCode>): void {
    if (topics.size === 0) return;
    this.#listeners.hear(topics);
    this.#options.signals?.send(topics);
  }

  async #connect(): Promise<Store> {
    const { driver, namespace } = this.#options;
    await driver.open();
    try {
      await this.#migrate();
      const known = await driver.read(() => namespaceNumber(namespace));
      const ns = known ?? (await driver.write(() => enterNamespace(namespace)));
      this.#store = { ns, limits: this.#limits, numbers: new RunNumbers(), lanes: new Lanes() };
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
    await driver.write(() => migrate(kyselyFor(dialect), dialect));
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
