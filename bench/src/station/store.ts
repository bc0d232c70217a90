import type { Backend } from "../backends/backend.ts";
import { Station } from "./station.ts";

/** An empty store of a backend, and the processes that work on it. */
export class Store {
  readonly #backend: Backend;
  readonly #place: string;
  readonly #stations: Station[] = [];
  /** Where the client is. */
  readonly client: Station;

  private constructor(backend: Backend, place: string) {
    this.#backend = backend;
    this.#place = place;
    this.client = this.#station();
  }

  /** Makes a store for `use`, and leaves nothing of it behind. */
  static async with<T>(backend: Backend, use: (store: Store) => Promise<T>): Promise<T> {
    const store = new Store(backend, await backend.create());
    try {
      return await use(store);
    } finally {
      await store.#remove();
    }
  }

  /** Where a worker is: a new process, or the client's where there can be only one. */
  readonly worker = (): Station => (this.#backend.processes === "one" ? this.client : this.#station());

  #station(): Station {
    // Whoever waits for what a lost process should have done would wait for ever.
    const station = new Station(this.#backend, this.#place, (error) => {
      for (const other of this.#stations) other.abandon(error);
    });
    this.#stations.push(station);
    return station;
  }

  async #remove(): Promise<void> {
    await Promise.all(this.#stations.map((station) => station.end()));
    await this.#backend.remove(this.#place);
  }
}
