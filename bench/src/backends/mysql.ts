import { randomBytes } from "node:crypto";
import { mysql } from "@perdure/storage-mysql";
import { mysqlFloor } from "../floor/mysql.ts";
import { describeMysql, mysqlQuery, mysqlUrl, useMysql } from "../server/mysql.ts";
import type { Backend } from "./backend.ts";
import { countMysqlStatements } from "./mysql-statement-count.ts";

/** A database of its own in a server that is found or started. */
export const mysqlBackend: Backend = {
  name: "mysql",
  processes: "many",
  create: async () => {
    await useMysql();
    const database = `perdure_bench_${randomBytes(6).toString("hex")}`;
    await mysqlQuery(`create database ${database}`);
    return database;
  },
  open: (database) => mysql(mysqlUrl(database)),
  remove: (database) => mysqlQuery(`drop database ${database}`),
  countStatements: countMysqlStatements,
  floor: mysqlFloor,
  describeServer: describeMysql,
  // InnoDB looks at its tables by itself while they grow.
  settle: null,
};
