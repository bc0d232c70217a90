import type { StorageBackend } from "@perdure/core/storage";
import type { Shop } from "./tables.ts";

/** A kind of database server: all that differs between the two. */
export interface Server {
  readonly product: string;
  /** Of the environment: where the server is. */
  readonly variable: string;
  /** Where it is otherwise. */
  readonly usual: string;
  /** For somebody who has none: what an URL looks like, how the program is told, what is created, and how to come by a server. */
  readonly form: string;
  readonly argument: string;
  readonly creates: string;
  readonly example: string;
  /** Connects to a place: the shop's tables, and the storage of the runs beside them. */
  open(url: string, name: string): { readonly shop: Shop; readonly storage: StorageBackend };
  /** Makes a place of this name, and throws it away. */
  create(url: string, name: string): Promise<void>;
  drop(url: string, name: string): Promise<void>;
}

/** PostgreSQL, or what is asked for. */
export async function serverOf(kind: string | undefined): Promise<Server> {
  const { server } = kind === "mysql" ? await import("./on-mysql.ts") : await import("./on-postgres.ts");
  return server;
}
