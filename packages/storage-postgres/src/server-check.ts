import { StorageError } from "@perdure/core/storage";
import type { ClientBase } from "pg";

/** The first version that has all that we use: stored generated columns, generic plans on request. */
const OLDEST = 12;

interface Facts {
  readonly version: number;
  readonly encoding: string;
  readonly syncs: string;
  readonly writable: boolean;
}

const SELECT_FACTS =
  "select current_setting('server_version_num')::int / 10000 as version, " +
  "current_setting('server_encoding') as encoding, current_setting('synchronous_commit') as syncs, " +
  "current_setting('transaction_read_only') = 'off' as writable";

/**
 * Refuses a server on which our promises would not hold; answers whether it takes writes now.
 * @throws StorageError `misconfigured`
 */
export async function checkServer(client: ClientBase, hasSessions: boolean): Promise<boolean> {
  const { rows } = await client.query<Facts>(SELECT_FACTS);
  const { version, encoding, syncs, writable } = rows[0]!;
  if (version < OLDEST) {
    refuse(`PostgreSQL ${version} is too old. Update it to ${OLDEST} or newer.`);
  }
  if (!["UTF8", "SQL_ASCII"].includes(encoding)) {
    refuse(`The database has the encoding ${encoding}, which cannot hold every text. Create one with encoding UTF8.`);
  }
  // In sessions that are ours alone we switch it on.
  if (syncs === "off" && !hasSessions) {
    refuse(
      "synchronous_commit is off here, so what was acknowledged could be lost. Switch it on for this user or database, " +
        "or give the options of a pool that connects directly.",
    );
  }
  return writable;
}

function refuse(message: string): never {
  throw new StorageError("misconfigured", message);
}
