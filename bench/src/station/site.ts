import type { StorageBackend } from "@perdure/core/storage";
import type { Backend } from "../backends/backend.ts";
import { Meter } from "../meter.ts";

/** What the tasks of one process share: its store, opened when it is first needed. */
export class Site {
  readonly backend: Backend;
  readonly place: string;
  #open: { readonly storage: StorageBackend; readonly meter: Meter } | null = null;

  #count: (() => number) | null = null;

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

  /** How many statements this process has given to the database since this was first asked; calls of the port where there are none. */
  readonly statementCount = (): number => {
    this.#count ??= this.backend.countStatements?.() ?? (() => this.meter.counts().calls);
    return this.#count();
  };

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
