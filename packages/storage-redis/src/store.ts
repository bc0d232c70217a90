import type { Capabilities, Millis } from "@perdure/core/storage";
import { Answering } from "./answering.ts";
import type { Connection } from "./connection.ts";
import { hintChannel, shardPrefix } from "./keys.ts";
import { loadScripts } from "./load-scripts.ts";
import type { Settings } from "./options.ts";
import type { Replies, Reply } from "./reply.ts";
import { type Script, SCRIPTS } from "./scripts.ts";
import { checkServer } from "./server-check.ts";
import { setUp } from "./setup.ts";
import { allDone, type Argument } from "./shards.ts";

/** A namespace of a store that is set up. */
export class Store {
  readonly connection: Connection;
  readonly shards: number;
  readonly durability: Capabilities["durability"];
  readonly answering: Answering;
  /** Where hints are published. */
  readonly channel: string;
  readonly #prefixes: readonly string[];
  readonly #clock: () => number;
  /** The latest time that any shard has told: no shard may be earlier. */
  #latest: Millis = 0;

  private constructor(
    connection: Connection,
    settings: Settings,
    shards: number,
    durability: Capabilities["durability"],
  ) {
    const { prefix, namespace, clock } = settings;
    this.connection = connection;
    this.answering = new Answering(() => connection.lookForMasters());
    this.shards = shards;
    this.durability = durability;
    this.channel = hintChannel(prefix, namespace);
    this.#prefixes = Array.from({ length: shards }, (_, shard) => shardPrefix(prefix, namespace, shard));
    this.#clock = clock;
  }

  static async open(connection: Connection, settings: Settings): Promise<Store> {
    const durability = await checkServer(connection, settings.durability);
    await loadScripts(connection);
    const store = new Store(connection, settings, await setUp(connection, settings), durability);
    await store.#greet(true);
    connection.onConnect(() => void store.#greet(false).catch(ignore));
    return store;
  }

  /** The name of a key of a shard. */
  key(shard: number, name: string): string {
    return this.#prefixes[shard]! + name;
  }

  /** Runs a script with arguments for all elements, and what is sent of each. */
  async run(
    script: Script,
    shard: number,
    args: readonly Argument[],
    encoded: readonly string[] = [],
  ): Promise<Replies> {
    const keys = [this.key(shard, ""), this.key(shard, "clock")];
    const all = [this.channel, this.#latest, this.#clock(), JSON.stringify(args), ...encoded];
    return (await this.connection.run(script, keys, all)) as Replies;
  }

  /**
   * Meets the servers, and has them write their logs anew if they have started anew. One whose machine lost its power may find half of a script's
   * writes at the end of its log. It leaves them out, but not always from the file: what it writes next stands behind them, and its next
   * start would execute both.
   */
  async #greet(isFirst: boolean): Promise<void> {
    const shards = Array.from({ length: this.shards }, (_, shard) => shard);
    const met = await allDone(shards.map((shard) => this.run(SCRIPTS.greet, shard, [isFirst])));
    for (const [now] of met) this.noted(now);
    if (met.some(([, isNew]) => isNew === "1")) this.connection.rewriteLogs();
  }

  /** The store's clock. */
  async now(): Promise<Millis> {
    return this.noted((await this.run(SCRIPTS.now, 0, []))[0]);
  }

  /** Reads the time of an answer, and remembers it. */
  noted(reply: Reply | undefined): Millis {
    const now = Number(reply);
    this.#latest = Math.max(this.#latest, now);
    return now;
  }
}

/** Whoever claims something looks, too. */
function ignore(): void {}
