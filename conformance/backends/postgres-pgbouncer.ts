import { findPostgres, startPgBouncer } from "perdure-servers";
import type { BackendUnderTest } from "../src/subject.ts";
import { postgresSubject } from "./postgres-subject.ts";

const VARIABLE = "PERDURE_CONFORMANCE_PGBOUNCER";

/** A PgBouncer before the PostgreSQL that tests use, which lends connections out for single transactions. Child processes find it. */
async function pgbouncer(): Promise<string> {
  process.env[VARIABLE] ??= (
    await startPgBouncer({
      target: (await findPostgres()).url,
      poolMode: "transaction",
      settings: { max_client_conn: 1000 },
    })
  ).url;
  return process.env[VARIABLE];
}

const subject: BackendUnderTest = postgresSubject(
  "postgres-pgbouncer",
  import.meta.url,
  await pgbouncer(),
  "transaction",
);

export default subject;
