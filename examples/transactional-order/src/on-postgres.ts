import { postgres } from "@perdure/storage-postgres";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Server } from "./server.ts";
import type { Tables } from "./tables.ts";

/** The shop and its runs in a schema of a PostgreSQL database. */
export const server: Server = {
  product: "PostgreSQL",
  variable: "PERDURE_POSTGRES_URL",
  usual: "postgres://postgres@127.0.0.1:5432/postgres",
  form: "postgres://user:password@host:5432/database",
  argument: "",
  creates: "schemas",
  example: "docker run --rm -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres",

  open(url, name) {
    const pool = new pg.Pool({
      connectionString: url,
      options: `-c search_path=${name}`,
      connectionTimeoutMillis: 5_000,
    });
    // A connection that breaks is heard of by whoever uses it. An error that nobody listens to would end the process.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    return {
      shop: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }),
      storage: postgres({ url, schema: name }),
    };
  },

  create: (url, name) => administer(url, `create schema ${name}`),
  drop: (url, name) => administer(url, `drop schema if exists ${name} cascade`),
};

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
}
