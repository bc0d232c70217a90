import { randomBytes } from "node:crypto";
import { postgres } from "@perdure/storage-postgres";
import { postgresFloor } from "../floor/postgres.ts";
import { describePostgres, postgresQuery, postgresUrl, usePostgres } from "../server/postgres.ts";
import type { Backend } from "./backend.ts";
import { countPostgresStatements } from "./postgres-statement-count.ts";

/** A schema of its own in a server that is found or started. */
export const postgresBackend: Backend = {
  name: "postgres",
  processes: "many",
  create: async () => {
    await usePostgres();
    return `perdure_bench_${randomBytes(6).toString("hex")}`;
  },
  open: (schema) => postgres({ url: postgresUrl(), schema }),
  remove: async (schema) => void (await postgresQuery(`drop schema if exists ${schema} cascade`)),
  countStatements: countPostgresStatements,
  floor: postgresFloor,
  describeServer: describePostgres,
  settle: async (schema) => {
    const tables = await postgresQuery<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = '${schema}'`,
    );
    await postgresQuery(`vacuum analyze ${tables.map(({ name }) => `${schema}.${name}`).join(", ")}`);
    return "vacuum analyze";
  },
};
