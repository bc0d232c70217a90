import { StorageError } from "@perdure/core/storage";
import { connectionErrorOf, inWords, type Meaning, WORDS } from "@perdure/storage-sql";

type Code = ConstructorParameters<typeof StorageError>[0];

/** What an error of the server means, by the beginning of its SQLSTATE; the first that fits counts. */
const MEANINGS: readonly (readonly [prefix: string, code: Code, says: string])[] = [
  ["28", "misconfigured", `does not let this user in: ${WORDS}. Check user, password and pg_hba.conf.`],
  ["3D000", "misconfigured", "has no such database. Create it, or give the name of another one."],
  [
    "42501",
    "misconfigured",
    `denies this user a right that Perdure needs: ${WORDS}. To set up, it takes CREATE on the database, or somebody else who runs ` +
      "what migrationSql() prints; to work, USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on its tables.",
  ],
  ["25006", "read-only", "takes no writes here: it is a standby, or set to read-only. Connect to the primary."],
  ["53100", "unavailable", "has no space left on its disk. Free some; nothing was written."],
  ["53300", "unavailable", "has no connection left. Raise max_connections, or lower `max` of the pool."],
  ["53", "unavailable", `lacks resources: ${WORDS}. Try again.`],
  ["08", "unavailable", `ended the connection: ${WORDS}. Try again.`],
  ["57014", "unavailable", `gave a statement up: ${WORDS}. Try again.`],
  ["57", "unavailable", "is shutting down or starting. Try again."],
  ["58", "unavailable", `has trouble with its machine: ${WORDS}. See its log, and try again.`],
  ["55P03", "unavailable", "waited too long for a lock. Try again."],
  ["40", "unavailable", "gave the transaction up in favour of another one. Try again."],
  ["25", "unavailable", `ended the transaction: ${WORDS}. Try again.`],
  // A pooler that lends connections out for single transactions, and was taken for none.
  [
    "26000",
    "misconfigured",
    'does not know a statement that was prepared on this connection. Set pooler: "transaction".',
  ],
  ["42P05", "misconfigured", 'knows a statement that was not prepared on this connection. Set pooler: "transaction".'],
  ["XX001", "corrupt", "reports damaged data. See its log, and restore a backup."],
  ["XX002", "corrupt", "reports a damaged index. See its log, and rebuild it with reindex."],
  // Also what some poolers say who have no connection.
  ["XX", "unavailable", `has an internal error: ${WORDS}. See its log, and try again.`],
];

/** What an error means that the server did not send, by its code. */
const CODES: readonly Meaning[] = [
  [
    /^(?:ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|ENOENT|EMFILE|ENFILE)/u,
    "unavailable",
    "PostgreSQL cannot be reached. Check that it runs at this address; try again.",
  ],
  [
    /^(?:ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH)/u,
    "misconfigured",
    `No encrypted connection to PostgreSQL could be made: ${WORDS}. Correct the option ssl.`,
  ],
];

/** The same for those without a code, by how they begin. */
const MESSAGES: readonly Meaning[] = [
  [/^Cannot use a pool after/u, "misconfigured", "The pool was closed. Create another storage."],
  [
    /^timeout exceeded when trying to connect/u,
    "unavailable",
    "All connections of the pool are in use. Raise its `max`, or try again.",
  ],
  [/^Query read timeout/u, "unavailable", "PostgreSQL did not answer within the requestTimeout. Try again."],
  [
    /^(?:Connection (?:terminated|ended)|timeout expired|Client (?:has encountered|was closed)|Received unexpected)/u,
    "unavailable",
    "The connection to PostgreSQL was lost, or could not be made. Check that it runs at this address; try again.",
  ],
  [
    /^SASL: .*must be a (?:non-empty )?string|password must be a/iu,
    "misconfigured",
    "PostgreSQL asks for a password. Give one.",
  ],
  [/^SASL:/u, "misconfigured", `PostgreSQL and this program cannot agree on a password: ${WORDS}.`],
  [
    /^(?:The server does not support SSL|There was an error establishing an SSL)/u,
    "misconfigured",
    `No encrypted connection to PostgreSQL could be made: ${WORDS}. Correct the option ssl.`,
  ],
];

/** An error of driver or server as one of ours, with the original as its cause; undefined for one that is not theirs. */
export function storageErrorOf(error: unknown): StorageError | undefined {
  if (error instanceof AggregateError) return storageErrorOf(error.errors[0]);
  if (!(error instanceof Error)) return undefined;
  return isSaidByServer(error) ? serverError(error) : connectionErrorOf(error, CODES, MESSAGES);
}

/** Whether the server gave a transaction up for the sake of others: it is to be tried again. */
export function isConflict(error: unknown): boolean {
  return isSaidByServer(error) && ["40001", "40P01"].includes(error.code);
}

/** Whether the server takes no writes. */
export function isReadOnly(error: unknown): error is Error {
  return isSaidByServer(error) && error.code === "25006";
}

/** For a server that took writes before: another one may be the primary now, to which a new connection will lead. */
export function demoted(cause: Error): StorageError {
  return new StorageError(
    "unavailable",
    "PostgreSQL took writes here before, and takes none now: is there another primary? Connections are made anew; try again.",
    { cause, details: { code: "25006" } },
  );
}

/** Whether the server sent the error: it has an SQLSTATE then. Also one that another copy of node-postgres has made. */
export function isSaidByServer(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && "severity" in error && typeof (error as { code?: unknown }).code === "string";
}

function serverError(error: Error & { readonly code: string }): StorageError {
  const { code } = error;
  const options = { cause: error, details: { code } };
  for (const [prefix, meaning, says] of MEANINGS) {
    if (code.startsWith(prefix)) return new StorageError(meaning, `PostgreSQL ${inWords(says, error)}`, options);
  }
  if (code === "42P01" || code === "3F000") {
    return new StorageError("schema-version", "The database has no schema of Perdure. Run setup().", options);
  }
  return new StorageError(
    "misconfigured",
    `PostgreSQL refused a statement: ${error.message}. Was its schema changed by hand?`,
    options,
  );
}
