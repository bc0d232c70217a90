import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sqlite } from "@perdure/storage-sqlite";
import { sqliteFloor } from "../floor/sqlite.ts";
import type { Backend } from "./backend.ts";
import { countSqliteStatements } from "./sqlite-statement-count.ts";

/** A file in the folder for temporary files: TMPDIR names another disk. */
export const sqliteBackend: Backend = {
  name: "sqlite",
  processes: "many",
  create: async () => join(await mkdtemp(join(tmpdir(), "perdure-bench-")), "bench.db"),
  open: (place) => sqlite(place),
  remove: (place) => rm(dirname(place), { recursive: true, force: true }),
  countStatements: countSqliteStatements,
  floor: sqliteFloor,
  describeServer: null,
  settle: null,
};
