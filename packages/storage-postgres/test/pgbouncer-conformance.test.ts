import { describeStorageBackend } from "@perdure/conformance/vitest";
import pgbouncer from "../../../conformance/backends/postgres-pgbouncer.ts";

// What is different where connections are lent for single transactions. All of it: `npm run conformance -- postgres-pgbouncer`.
describeStorageBackend(pgbouncer, { levels: ["L1", "L2"], grep: "tx." });
describeStorageBackend(pgbouncer, { levels: ["L2"], grep: "signal" });
describeStorageBackend(pgbouncer, { levels: ["L3"], grep: "fence." });
