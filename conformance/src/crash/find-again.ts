import type { StorageBackend } from "@perdure/core/storage";
import { history } from "../snapshot.ts";
import { checkStored } from "./check-ledger.ts";
import type { Acked, LedgerEntry } from "./ledger.ts";
import { insist } from "./traffic.ts";

/** I4: reads what was acknowledged. Answers how many commits there were. */
export async function findAgain(
  storage: StorageBackend,
  entries: readonly LedgerEntry[],
  patienceMs = 0,
): Promise<number> {
  const acked = entries.filter((entry): entry is Acked => entry.what === "acked");
  for (const [runId, commits] of Map.groupBy(acked, ({ run }) => run))
    checkStored(runId, await insist(() => history(storage, runId), patienceMs), commits);
  return acked.length;
}
