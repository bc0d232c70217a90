import type { Container } from "@azure/cosmos";
import { type Millis, type Topic } from "@perdure/core/storage";
import type { ServiceClock } from "./clock.ts";
import type { Connection } from "./connection.ts";
import { Handed } from "./handed.ts";
import { Heads } from "./heads.ts";
import { type Hub, hubOf } from "./hub.ts";
import { runKey } from "./ids.ts";
import { Lines } from "./lines.ts";
import type { Settings } from "./options.ts";
import { Partition } from "./partition.ts";
import { setUp } from "./setup.ts";

/** A namespace of a store that is set up. */
export class Store {
  readonly connection: Connection;
  readonly namespace: string;
  readonly runs: Container;
  readonly heads: Heads = new Heads();
  /** One write of a run at a time, in this process: they would only lose races against each other. */
  readonly lines: Lines = new Lines();
  readonly handed: Handed = new Handed();
  readonly hub: Hub;
  readonly #cache: Container;
  readonly #clock: ServiceClock;
  readonly #ahead: () => number;
  #latest: Millis = 0;

  private constructor(
    connection: Connection,
    { namespace, clock, databaseId, containerId, cacheContainerId }: Settings,
  ) {
    const database = connection.client.database(databaseId);
    this.connection = connection;
    this.namespace = namespace;
    this.runs = database.container(containerId);
    this.hub = hubOf([connection.endpoint, databaseId, containerId, namespace].join(" "));
    this.#cache = database.container(cacheContainerId);
    this.#clock = connection.clock;
    this.#ahead = clock;
  }

  static async open(connection: Connection, settings: Settings): Promise<Store> {
    await setUp(connection, settings);
    return new Store(connection, settings);
  }

  /** The service's time, as well as it is known here; never less than before. */
  now(): Millis {
    this.#latest = Math.max(this.#latest, Math.floor(this.#clock.now() + this.#ahead()));
    return this.#latest;
  }

  run(runId: string): Partition {
    return new Partition(this.connection, this.runs, runKey(this.namespace, runId));
  }

  /** The partition of runs with this key. */
  partition(key: string): Partition {
    return new Partition(this.connection, this.runs, key);
  }

  cacheEntry(key: string): Partition {
    return new Partition(this.connection, this.#cache, runKey(this.namespace, key));
  }

  /** What a query finds among all runs. */
  query<T>(query: string, values: Readonly<Record<string, unknown>>): Promise<readonly T[]> {
    return this.connection.query<T>(this.runs, query, values);
  }

  hint(topic: Topic): void {
    this.hub.hear(topic);
  }
}
