import { isPerdureError, StorageError } from "@perdure/core/storage";

type Code = ConstructorParameters<typeof StorageError>[0];
type Meaning = readonly [pattern: RegExp, code: Code, says: string];

/** In a sentence, where the words of the error come in. The server never quotes a password. */
const WORDS = "%";

/** What an answer of the server means, by how it begins; the first that fits counts. */
const SAID: readonly Meaning[] = [
  [
    /^(?:NOAUTH|WRONGPASS|ERR AUTH|ERR invalid password)/u,
    "misconfigured",
    `does not let this user in: ${WORDS}. Check user and password.`,
  ],
  [
    /NOPERM|permissions? to/u,
    "misconfigured",
    `denies this user a right that Perdure needs: ${WORDS}. Allow all keys and channels with the prefix, and the commands of the groups ` +
      "@read, @write, @scripting, @pubsub and @connection.",
  ],
  [/^OOM/u, "unavailable", "has no memory left. Give it more, or purge old runs; nothing was written."],
  [/^LOADING/u, "unavailable", "is loading its data. Try again."],
  [/^BUSY/u, "unavailable", "is busy with a script that takes long. Try again."],
  [/^(?:TRYAGAIN|ASK)/u, "unavailable", "is moving the slot of a shard to another node. Try again."],
  [/^CLUSTERDOWN/u, "unavailable", "has no node for a slot at the moment. Try again."],
  [/^MASTERDOWN/u, "unavailable", "has lost its master. Try again."],
  [/^NOREPLICAS/u, "unavailable", "has too few replicas to take writes. Try again."],
  [/^MISCONF/u, "unavailable", `takes no writes because it cannot save them: ${WORDS}. See its log.`],
  [/^READONLY/u, "read-only", "takes no writes here: it is a replica. Connect to the master."],
  [
    /^(?:MOVED|CROSSSLOT)|cluster support disabled/u,
    "misconfigured",
    'is a Cluster where none is expected, or none where one is. Give `nodes: ["redis://…"]` for a Cluster, and `url` for a single server.',
  ],
  [/^UNKILLABLE|^NOTBUSY|^NOSCRIPT/u, "unavailable", `refused a script: ${WORDS}. Try again.`],
  [
    /^WRONGTYPE/u,
    "corrupt",
    `holds something else under a key of ours: ${WORDS}. Does another program use the prefix?`,
  ],
];

/** What an error means that the server did not send. */
const LOST: readonly Meaning[] = [
  [
    /^(?:ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/u,
    "misconfigured",
    `No encrypted connection to Redis could be made: ${WORDS}. Correct the option connection.tls.`,
  ],
];

/** An error of client or server as one of ours, with the original as its cause. */
export function storageErrorOf(error: unknown): Error {
  if (isPerdureError(error)) return error;
  if (!(error instanceof Error)) return new StorageError("unavailable", unknown, { cause: error });
  if (error.name === "ReplyError") return saidError(error);
  const nested = nestedError(error);
  if (nested !== undefined) return storageErrorOf(nested);
  const { code = "" } = error as NodeJS.ErrnoException;
  const found = LOST.find(([pattern]) => pattern.test(code));
  const options = { cause: error, details: code === "" ? {} : { code } };
  if (found !== undefined)
    return new StorageError(
      found[1],
      found[2].replace(WORDS, () => wordsOf(error)),
      options,
    );
  return new StorageError("unavailable", unknown, options);
}

const unknown =
  "The connection to Redis was lost, or could not be made. Check that it runs at this address; try again.";

/** A Cluster tells of the last node that it has asked. */
function nestedError(error: Error): Error | undefined {
  const { lastNodeError } = error as { readonly lastNodeError?: unknown };
  return lastNodeError instanceof Error ? lastNodeError : undefined;
}

/** After so many redirections ioredis gives the last one in its words. */
const REDIRECTED = /^Too many Cluster redirections. Last error: ReplyError: /u;

function saidError(error: Error): StorageError {
  const message = error.message.replace(REDIRECTED, "");
  const options = { cause: error, details: { code: message.split(" ", 1)[0]! } };
  const found = SAID.find(([pattern]) => pattern.test(message));
  if (found === undefined) {
    return new StorageError(
      "misconfigured",
      `Redis refused a command: ${wordsOf(error)}. Is it too old, or was its data changed by hand?`,
      options,
    );
  }
  return new StorageError(found[1], `Redis ${found[2].replace(WORDS, () => wordsOf(error))}`, options);
}

function wordsOf({ message }: Error): string {
  // The place in a script says nothing to its user.
  return message.replace(/ script: [\s\S]*$/u, "").replace(/\.$/u, "");
}

/** For a server that took writes before: another one may be the master now, to which a new connection will lead. */
export function demoted(cause: Error): StorageError {
  return new StorageError(
    "unavailable",
    "Redis took writes here before, and takes none now: is there another master? The connection is made anew; try again.",
    { cause, details: { code: "READONLY" } },
  );
}
