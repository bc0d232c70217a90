import { StorageError } from "@perdure/core/storage";
import type { Connection } from "@perdure/storage-sql";

/** Seconds after which the server ends a connection that says nothing, and with it a transaction of a process that stands still. */
const WAIT_TIMEOUT_S = 8;

/** Milliseconds after which we do not use a connection any more: well before the server ends it. */
export const IDLE_MS = 4_000;

/** Seconds to wait for a lock; then the transaction is tried again. */
const LOCK_TIMEOUT_S = 5;

/**
 * Makes a new connection ours: values that do not fit are refused, backslashes escape, reads see what was committed, and nobody
 * waits for long.
 */
export const SESSION: readonly string[] = [
  "set autocommit = 1, sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', " +
    `sql_safe_updates = 0, innodb_lock_wait_timeout = ${LOCK_TIMEOUT_S}, wait_timeout = ${WAIT_TIMEOUT_S}, ` +
    // Pages are walks along one index; two that are merged have to be sorted.
    "optimizer_switch = 'index_merge=off'",
  "set session transaction isolation level read committed",
];

/**
 * Whether statements of ours are safe on a connection of the caller's.
 * @throws StorageError `misconfigured`
 */
export async function checkSession(connection: Connection): Promise<void> {
  const [result] = await connection.send([{ sql: ASK, values: [] }]);
  const { mode, characters } = result!.rows[0] as { readonly mode: string; readonly characters: string };
  const modes = mode.split(",");
  if (!modes.includes("STRICT_TRANS_TABLES") && !modes.includes("STRICT_ALL_TABLES")) {
    refuse("is not strict: it would shorten what is too long", "Add STRICT_TRANS_TABLES to sql_mode.");
  }
  if (modes.includes("NO_BACKSLASH_ESCAPES")) {
    refuse("takes backslashes for themselves", "Remove NO_BACKSLASH_ESCAPES from sql_mode.");
  }
  if (characters !== "utf8mb4") refuse(`speaks ${characters}`, 'Set the charset "utf8mb4".');
}

const ASK = "select @@sql_mode as mode, @@character_set_client as characters";

function refuse(what: string, remedy: string): never {
  throw new StorageError("misconfigured", `A connection that was given to the mysql storage ${what}. ${remedy}`);
}
