import { mysql } from "@perdure/storage-mysql";
import { Kysely, MysqlDialect } from "kysely";
import { createPool } from "mysql2";
import { createConnection } from "mysql2/promise";
import type { Server } from "./server.ts";
import type { Tables } from "./tables.ts";

/** The shop and its runs in a database of MySQL or MariaDB. */
export const server: Server = {
  product: "MySQL",
  variable: "PERDURE_MYSQL_URL",
  usual: "mysql://root@127.0.0.1:3306",
  form: "mysql://user:password@host:3306",
  argument: " -- mysql",
  creates: "databases",
  example: "docker run --rm -p 3306:3306 -e MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 mariadb",

  open(url, name) {
    const database = new URL(url);
    database.pathname = name;
    return {
      shop: new Kysely<Tables>({ dialect: new MysqlDialect({ pool: createPool(database.href) }) }),
      storage: mysql(database.href),
    };
  },

  create: (url, name) => administer(url, `create database ${name}`),
  drop: (url, name) => administer(url, `drop database if exists ${name}`),
};

async function administer(url: string, statement: string): Promise<void> {
  const connection = await createConnection({ uri: url, connectTimeout: 5_000 });
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}
