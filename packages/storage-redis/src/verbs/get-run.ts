import type { Run } from "@perdure/core/storage";
import { shardOf } from "../shards.ts";
import type { Store } from "../store.ts";
import { RUN_FIELDS, runOf } from "./run-fields.ts";

/** `getRun`: one hash, so no script is needed to see it at one moment. */
export async function getRun(store: Store, runId: string): Promise<Run | undefined> {
  const key = store.key(shardOf(runId, store.shards), `r:${runId}`);
  return runOf(runId, await store.connection.send((client) => client.hmget(key, ...RUN_FIELDS)));
}
