import { StorageError } from "@perdure/core/storage";
import type { Connection } from "@perdure/storage-sql";
import type { Settings } from "./options.ts";

const MIB = 1024 * 1024;

/**
 * Whether a server can hold a store.
 * @throws StorageError `misconfigured`, with what to set
 */
export async function checkServer(connection: Connection, settings: Settings): Promise<void> {
  const [variables, tables] = await connection.send([
    { sql: VARIABLES, values: [] },
    { sql: OTHER_ENGINES, values: [] },
  ]);
  const rows = variables!.rows as readonly { readonly Variable_name: string; readonly Value: string }[];
  const of = new Map(rows.map(({ Variable_name: name, Value: value }) => [name, value]));
  checkVersion(of.get("version") ?? "");
  const packet = Number(of.get("max_allowed_packet"));
  if (packet < settings.maxAllowedPacket) {
    refuse(
      `takes packets of ${packet / MIB} MiB`,
      `Set max_allowed_packet to ${settings.maxAllowedPacket / MIB} MiB on the server, or maxAllowedPacket to ${packet} here.`,
    );
  }
  if (settings.durability === "fsync" && of.get("innodb_flush_log_at_trx_commit") !== "1") {
    refuse(
      "does not sync commits to disk",
      'Set innodb_flush_log_at_trx_commit to 1, or say durability: "bounded-loss".',
    );
  }
  if (of.get("log_bin") === "ON" && of.get("binlog_format") === "STATEMENT") {
    refuse("writes statements to its binary log", "Set binlog_format to row or mixed.");
  }
  const [other] = tables!.rows as readonly { readonly name: string; readonly engine: string }[];
  if (other !== undefined) {
    refuse(`has the table ${other.name} in ${other.engine}`, "Change its engine to InnoDB, which has transactions.");
  }
}

const VARIABLES =
  "show variables where variable_name in ('version', 'max_allowed_packet', 'innodb_flush_log_at_trx_commit', 'log_bin', " +
  "'binlog_format')";

const OTHER_ENGINES =
  "select table_name as name, engine as engine from information_schema.tables " +
  "where table_schema = database() and table_name like 'perdure\\_%' and engine <> 'InnoDB'";

/** Older ones cannot pass over rows that others have locked. */
function checkVersion(version: string): void {
  const [major = 0, minor = 0] = version.split(".", 2).map((part) => Number.parseInt(part, 10));
  const isNewEnough = version.includes("MariaDB") ? major > 10 || (major === 10 && minor >= 6) : major >= 8;
  if (!isNewEnough) refuse(`has version ${version}`, "Use MySQL 8.0 or MariaDB 10.6, or newer.");
}

function refuse(what: string, remedy: string): never {
  throw new StorageError("misconfigured", `The MySQL server ${what}. ${remedy}`);
}
