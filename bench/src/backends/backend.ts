import type { StorageBackend } from "@perdure/core/storage";
import type { Floor } from "../floor/floor-load.ts";
import type { Server } from "../server/server.ts";

/** A storage as the benchmark uses it. */
export interface Backend {
  /** Its name on the command line. */
  readonly name: string;
  /** `many`: client and worker have a process of their own each. `one`: they share one. */
  readonly processes: "one" | "many";
  /** Makes room for an empty store, and answers where: a text that every process understands. */
  create(): Promise<string>;
  /** Opens the store at a place, with the durability that users get by default. */
  open(place: string): StorageBackend;
  /** Removes the store, once everybody has closed it. */
  remove(place: string): Promise<void>;
  /**
   * Has the statements counted that this process gives to the database from now on; answers how to read the count. `null` where
   * there are none: then calls of the port are counted.
   */
  readonly countStatements: (() => () => number) | null;
  /** What W1 reads and writes, without engine and port. `null` where there is nothing below the port to compare with. */
  readonly floor: Floor | null;
  /** Describes the server that stores are in, of which there is one after the first {@link create}. `null` where there is none. */
  readonly describeServer: (() => Promise<Server>) | null;
  /**
   * Does to a store what its server does by itself some time after much was written, and says its name. `null` where there is no
   * such thing.
   */
  readonly settle: ((place: string) => Promise<string>) | null;
}
