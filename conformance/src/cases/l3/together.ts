import type { ClaimedTask, StorageBackend } from "@perdure/core/storage";
import { check } from "../../assert.ts";
import type { CaseContext } from "../../context.ts";
import type { Worker } from "../../worker.ts";

/** Does something with each of some clients at once. */
export function together<T>(
  clients: readonly StorageBackend[],
  each: (client: StorageBackend, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(clients.map(each));
}

/** Claims in small bites, until two claims in a row bring nothing. */
export async function drain(
  t: CaseContext,
  worker: Worker,
  each: (task: ClaimedTask) => Promise<unknown>,
): Promise<void> {
  for (let empty = 0, claims = 0; empty < 2; claims++) {
    check(claims < 20_000, "claiming comes to an end");
    const { tasks } = await worker.claim({ limit: 1 + t.random.int(7) });
    empty = tasks.length === 0 ? empty + 1 : 0;
    for (const task of tasks) await each(task);
  }
}
