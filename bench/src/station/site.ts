import type { StorageBackend } from "@perdure/core/storage";
import type { Backend } from "../backends/backend.ts";
import { Meter } from "../meter.ts";

/** What the tasks of one process share: its store, opened when it is first needed. */
export class Site {
  readonly backend: Backend;
  readonly place: string;
  #open: { readonly storage: StorageBackend; readonly meter: Meter } | null = null;

  constructor(backend: Backend, place: string) {
    this.backend = backend;
    this.place = place;
  }

  get storage(): StorageBackend {
    return this.#opened().storage;
  }

  get meter(): Meter {
    return this.#opened().meter;
  }

  async close(): Promise<void> {
    await this.#open?.storage.close();
  }

  #opened(): { readonly storage: StorageBackend; readonly meter: Meter } {
    if (this.#open === null) {
      const storage = this.backend.open(this.place);
      this.#open = { storage, meter: new Meter(storage) };
    }
    return this.#open;
  }
}
