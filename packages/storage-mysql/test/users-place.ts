import { randomBytes } from "node:crypto";
import { mysql } from "@perdure/storage-mysql";
import { Kysely, MysqlDialect } from "kysely";
import { createPool } from "mysql2";
import { createConnection } from "mysql2/promise";
import { findMysql } from "perdure-servers";
import type { OpenTransaction, Shop, UsersPlaces } from "../../storage-sql/test/users-place.ts";

const server = await findMysql();

function urlOf(database: string): string {
  const url = new URL(server.url);
  url.pathname = database;
  return url.href;
}

/** Databases with a store and a table each; who makes one drops it. */
const places: UsersPlaces = {
  module: new URL(import.meta.url),
  async make() {
    const name = `perdure_test_${randomBytes(6).toString("hex")}`;
    const connection = await createConnection(server.url);
    await connection.query(`create database ${name}`);
    await connection.query(`create table ${name}.stock (item varchar(99) primary key, in_stock int)`);
    await connection.end();
    return name;
  },
  at(name) {
    const pool = createPool({ uri: urlOf(name), connectionLimit: 5 });
    const db = new Kysely<Shop>({ dialect: new MysqlDialect({ pool }) });
    const begin = async (): Promise<OpenTransaction> => {
      const tx = await pool.promise().getConnection();
      await tx.beginTransaction();
      return { tx, end: (by) => tx[by]().finally(() => tx.release()) };
    };
    return { db, begin, open: () => mysql({ url: urlOf(name), maxConnections: 4 }), close: () => db.destroy() };
  },
  async drop(name) {
    const connection = await createConnection(server.url);
    await connection.query(`drop database ${name}`);
    await connection.end();
  },
};

export default places;
