import { StorageError } from "@perdure/core/storage";
import type { Connection } from "./connection.ts";
import { metaKey } from "./keys.ts";
import type { Settings } from "./options.ts";
import { SETUP } from "./scripts.ts";

/** Grows when a release stores something in another way. */
const SCHEMA_VERSION = 1;

/** What a new store in a Cluster is divided into. */
const CLUSTER_SHARDS = 16;

/**
 * Makes the store, or finds it: the first of all decides, and others see what was decided. Answers the number of shards.
 * @throws StorageError `schema-version`, `misconfigured`
 */
export async function setUp(connection: Connection, { prefix, shards, isCluster }: Settings): Promise<number> {
  const wanted = shards ?? (isCluster ? CLUSTER_SHARDS : 1);
  const [version, stored] = (await connection.run(SETUP, [metaKey(prefix)], [SCHEMA_VERSION, wanted])) as string[];
  if (Number(version) > SCHEMA_VERSION) {
    throw new StorageError(
      "schema-version",
      `The data under "${prefix}" has schema version ${version}, and this code knows ${SCHEMA_VERSION}. Update @perdure/storage-redis.`,
    );
  }
  if (shards !== undefined && shards !== Number(stored)) {
    throw new StorageError(
      "misconfigured",
      `The data under "${prefix}" is divided into ${stored} shards, which cannot be changed. Set shards: ${stored}, or leave it out.`,
    );
  }
  return Number(stored);
}
