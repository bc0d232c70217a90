import { type FSWatcher, watch } from "node:fs";

/** How often a process looks by itself, in case it was not told. */
const FLOOR_MS = 500;

/** Tells when something in a folder may have been written, by whatever process. */
export class FolderWatch {
  readonly #folder: string;
  readonly #look: () => void;
  #watcher: FSWatcher | undefined;
  #floor: NodeJS.Timeout | undefined;

  constructor(folder: string, look: () => void) {
    this.#folder = folder;
    this.#look = look;
  }

  start(): void {
    if (this.#floor !== undefined) return;
    this.#floor = setInterval(this.#look, FLOOR_MS);
    this.#floor.unref();
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, this.#look);
      // Watching may end: then there is the floor.
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // Not every file system can be watched.
    }
  }

  stop(): void {
    this.#watcher?.close();
    clearInterval(this.#floor);
    this.#watcher = undefined;
    this.#floor = undefined;
  }
}
