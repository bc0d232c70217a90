import { StorageError } from "../errors/index.ts";

/** What a storage answers that keeps its contract only if somebody else wrote under this worker's claim. */
export function refusedByStorage(what: string, result: object): StorageError {
  return new StorageError(
    "misconfigured",
    `The storage refused ${what}: ${JSON.stringify(result)}. Something else than Perdure writes to it, or it does not keep its contract: run the conformance suite on it.`,
  );
}
