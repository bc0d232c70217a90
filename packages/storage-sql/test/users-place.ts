import type { StorageBackend } from "@perdure/core/storage";
import type { Kysely } from "kysely";

/** A user's table. */
export interface Shop {
  readonly stock: { readonly item: string; readonly in_stock: number };
}

/** A transaction that is open until somebody ends it. */
export interface OpenTransaction {
  readonly tx: unknown;
  /** The connection is free then. */
  end(by: "commit" | "rollback"): Promise<unknown>;
}

/** A user's database that has a store in it, too. */
export interface UsersPlace {
  /** The user's own connections. */
  readonly db: Kysely<Shop>;
  /** Begins one on a connection of the driver's, without kysely. */
  begin(): Promise<OpenTransaction>;
  /** Opens the store, as each process does. */
  open(): StorageBackend;
  /** Ends the user's connections. */
  close(): Promise<void>;
}

/** How a kind of database comes by places. A module exports it by default, so that child processes find it, too. */
export interface UsersPlaces {
  readonly module: URL;
  /** Makes a place with an empty table; answers its name. */
  make(): Promise<string>;
  at(name: string): UsersPlace;
  drop(name: string): Promise<void>;
}
