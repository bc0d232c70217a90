import { StorageError } from "@perdure/core/storage";
import { connectionErrorOf, inWords, type Meaning, WORDS } from "@perdure/storage-sql";

type Code = ConstructorParameters<typeof StorageError>[0];

/** What errors of the server mean, by number. */
const MEANINGS: readonly (readonly [numbers: readonly number[], code: Code, says: string])[] = [
  [
    [1040, 1203, 1226],
    "unavailable",
    "has no connection left. Raise its max_connections, or lower maxConnections here.",
  ],
  [[1053, 1079], "unavailable", "is shutting down. Try again."],
  [[1927, 3169, 4031], "unavailable", `ended the connection: ${WORDS}. Try again.`],
  [[1042, 1043, 1158, 1159, 1160, 1161, 1184], "unavailable", `lost the connection: ${WORDS}. Try again.`],
  [[1047], "unavailable", `is a node of a cluster that is not ready: ${WORDS}. Try again, or connect to another node.`],
  [[1205, 1213, 1020, 1412, 1180, 1614], "unavailable", "gave the transaction up in favour of another one. Try again."],
  [[1317, 1969, 3024], "unavailable", `gave a statement up: ${WORDS}. Try again.`],
  [[1021, 1026, 1030, 1114], "unavailable", `cannot write: ${WORDS}. Is its disk full? See its log, and try again.`],
  [[1037, 1038, 1041, 1135, 1637], "unavailable", `lacks resources: ${WORDS}. Try again.`],
  [
    [1045, 1698, 1820, 1862, 3118, 4151],
    "misconfigured",
    `does not let this user in: ${WORDS}. Check user and password.`,
  ],
  [[1129, 1130], "misconfigured", `does not talk to this machine: ${WORDS}. Allow it to connect.`],
  [
    [1251],
    "misconfigured",
    `wants a kind of password that the driver does not know: ${WORDS}. Change it for this user.`,
  ],
  [[1046, 1049], "misconfigured", "has no such database. Create it, or give the name of another one."],
  [
    [1044, 1142, 1143, 1227],
    "misconfigured",
    `denies this user a right that Perdure needs: ${WORDS}. To set up, it takes CREATE, ALTER and INDEX on the database, or ` +
      "somebody else who runs what migrationSql() prints; to work, SELECT, INSERT, UPDATE and DELETE.",
  ],
  [
    [1153],
    "misconfigured",
    "takes no packets of this size. Raise its max_allowed_packet, or lower maxAllowedPacket here.",
  ],
  [[1286], "misconfigured", "has no InnoDB. Enable it: other engines have no transactions."],
  [[1665], "misconfigured", "writes statements to its binary log. Set binlog_format to row or mixed."],
  [
    [1290, 1792, 1836, 1874],
    "read-only",
    "takes no writes here: it is a replica, or set to read-only. Connect to the primary.",
  ],
  [
    [1034, 1035, 1194, 1195, 1712, 1877],
    "corrupt",
    `reports damaged data: ${WORDS}. See its log, and restore a backup.`,
  ],
  [[1146], "schema-version", "has no schema of Perdure in this database. Run setup()."],
];

/** What an error means that the server did not send, by its code. */
const CODES: readonly Meaning[] = [
  [
    /^PROTOCOL_SEQUENCE_TIMEOUT$/u,
    "unavailable",
    "The MySQL server did not answer within the requestTimeout. Try again.",
  ],
  [
    /^(?:ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|ENOENT|EACCES|EMFILE|ENFILE|PROTOCOL_)/u,
    "unavailable",
    "The MySQL server cannot be reached, or the connection to it was lost. Check that it runs at this address; try again.",
  ],
  [
    /^(?:ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|HANDSHAKE_)/u,
    "misconfigured",
    `No encrypted connection to the MySQL server could be made: ${WORDS}. Correct the option ssl.`,
  ],
  [
    /^(?:AUTH_SWITCH_|MYSQL_CLEAR_PASSWORD)/u,
    "misconfigured",
    `The MySQL server and this program cannot agree on a password: ${WORDS}.`,
  ],
];

/** The same for those without a code, by how they begin. */
const MESSAGES: readonly Meaning[] = [
  [/^Pool is closed/u, "misconfigured", "The pool was closed. Create another storage."],
  [
    /^Can't (?:add new command|write) /u,
    "unavailable",
    "The connection to the MySQL server was lost. Check that it runs at this address; try again.",
  ],
];

interface ServerError extends Error {
  readonly errno: number;
  readonly code?: string;
}

/** An error of driver or server as one of ours, with the original as its cause; undefined for one that is not theirs. */
export function storageErrorOf(error: unknown): StorageError | undefined {
  if (error instanceof AggregateError) return storageErrorOf(error.errors[0]);
  if (!(error instanceof Error)) return undefined;
  return isSaidByServer(error) ? serverError(error) : connectionErrorOf(error, CODES, MESSAGES);
}

/**
 * Deadlock, lock wait timeout, a row or a table that has changed since this transaction's moment, a cluster's refusal of a commit, and
 * a key that somebody else inserted at the same time.
 */
const CONFLICTS: ReadonlySet<number> = new Set([1213, 1205, 1020, 1412, 1180, 1062]);

/** Whether the server gave a transaction up for the sake of others: it is to be tried again. */
export function isConflict(error: unknown): boolean {
  return isSaidByServer(error) && CONFLICTS.has(error.errno);
}

/** Whether nothing can be asked on a connection any more after this. */
export function isFatal(error: unknown): boolean {
  const { fatal } = error as { readonly fatal?: unknown };
  return fatal === true || !isSaidByServer(error);
}

/** Whether the server sent the error: it has an SQLSTATE then. */
function isSaidByServer(error: unknown): error is ServerError {
  return error instanceof Error && "sqlState" in error && typeof (error as Partial<ServerError>).errno === "number";
}

function serverError(error: ServerError): StorageError {
  const { errno, code } = error;
  const options = { cause: error, details: { code, errno } };
  for (const [numbers, meaning, says] of MEANINGS) {
    if (numbers.includes(errno)) return new StorageError(meaning, `The MySQL server ${inWords(says, error)}`, options);
  }
  return new StorageError(
    "misconfigured",
    `The MySQL server refused a statement: ${error.message}. Was its schema changed by hand?`,
    options,
  );
}
