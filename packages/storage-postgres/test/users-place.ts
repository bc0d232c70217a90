import { randomBytes } from "node:crypto";
import { postgres } from "@perdure/storage-postgres";
import { Kysely, PostgresDialect } from "kysely";
import { findPostgres } from "perdure-servers";
import pg from "pg";
import type { OpenTransaction, Shop, UsersPlaces } from "../../storage-sql/test/users-place.ts";

const { url } = await findPostgres();

/** Schemas with a store and a table each; who makes one drops it. */
const places: UsersPlaces = {
  module: new URL(import.meta.url),
  async make() {
    const schema = `perdure_test_${randomBytes(6).toString("hex")}`;
    const client = new pg.Client(url);
    await client.connect();
    await client.query(`create schema ${schema}; create table ${schema}.stock (item text primary key, in_stock int)`);
    await client.end();
    return schema;
  },
  at(schema) {
    const pool = new pg.Pool({ connectionString: url, options: `-c search_path=${schema}`, max: 5 });
    const db = new Kysely<Shop>({ dialect: new PostgresDialect({ pool }) });
    const begin = async (): Promise<OpenTransaction> => {
      const tx = await pool.connect();
      await tx.query("begin");
      return { tx, end: (by) => tx.query(by).finally(() => tx.release()) };
    };
    return { db, begin, open: () => postgres({ url, schema, pool: { max: 4 } }), close: () => db.destroy() };
  },
  async drop(schema) {
    const client = new pg.Client(url);
    await client.connect();
    await client.query(`drop schema ${schema} cascade`);
    await client.end();
  },
};

export default places;
