import { isPerdureError, StorageError } from "@perdure/core/storage";

/** What the client throws for an answer of the service; other errors have no number. */
interface Answered extends Error {
  readonly code?: number | string;
  readonly substatus?: number;
  readonly retryAfterInMs?: number;
}

/** Statuses after which the same request may succeed. */
const PASSING: ReadonlySet<number> = new Set([408, 410, 429, 449, 500, 502, 503, 504]);

/** The error of the service itself: batches wrap it. */
function answered(error: unknown): Answered | undefined {
  if (!(error instanceof Error)) return undefined;
  const { cause } = error;
  return (error as Answered).code === undefined && cause instanceof Error ? (cause as Answered) : error;
}

export function statusOf(error: unknown): number | undefined {
  const code = answered(error)?.code;
  return typeof code === "number" ? code : undefined;
}

/** Whether the request may be sent again, and after how long; undefined: it may not. */
export function retryAfter(error: unknown): number | undefined {
  const found = answered(error);
  if (found === undefined || isPerdureError(found)) return undefined;
  const { code, retryAfterInMs } = found;
  if (typeof code !== "number" || !PASSING.has(code)) return undefined;
  return Math.max(0, retryAfterInMs ?? 0);
}

/** An error of the client or the service as one of ours, with the original as its cause. */
export function storageErrorOf(error: unknown): Error {
  if (isPerdureError(error)) return error;
  const found = answered(error);
  const status = statusOf(error);
  const options = { cause: error, details: status === undefined ? {} : { status } };
  const made = (code: ConstructorParameters<typeof StorageError>[0], says: string): StorageError =>
    new StorageError(code, says, options);
  switch (status) {
    case 401:
      return made(
        "misconfigured",
        "Cosmos DB does not let this key or identity in. Check the connection string or the credential.",
      );
    case 403:
      return made(
        "misconfigured",
        `Cosmos DB denies a right that Perdure needs: ${wordsOf(found)}. Give the identity the role Cosmos DB Built-in Data Contributor, and ` +
          'have somebody else create database and containers (migrate: "check") if it may not.',
      );
    case 404:
      return made(
        "misconfigured",
        'The database or a container is not there. Create it, or leave out migrate: "check".',
      );
    case 429:
      return made(
        "unavailable",
        "Cosmos DB is asked for more request units than it has. Raise the throughput; try again.",
      );
    case 400:
    case 413:
      return made(
        "misconfigured",
        `Cosmos DB refused a request: ${wordsOf(found)}. Was the container created by something else?`,
      );
    default:
      return made(
        "unavailable",
        "Cosmos DB cannot be reached, or did not answer. Check endpoint and network; try again.",
      );
  }
}

function wordsOf(error: Error | undefined): string {
  return (error?.message ?? "unknown")
    .split("\n", 1)[0]!
    .replace(/^Batch request error: /u, "")
    .replace(/\.$/u, "")
    .slice(0, 300);
}
