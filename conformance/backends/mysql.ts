import type { Socket } from "node:net";
import { mysql } from "@perdure/storage-mysql";
import { createPool, type PoolConnection } from "mysql2";
import { type Connection, createConnection, type Pool, type RowDataPacket } from "mysql2/promise";
import { findMysql, startMariadb } from "perdure-servers";
import type { BackendUnderTest } from "../src/subject.ts";
import { caseOf } from "./case-of.ts";
import { addressOf, isAlive, noteOwnServer, ownUrl, storeName, urlAt } from "./process-store.ts";

/** All cases of a process share one database. Child processes find it in their environment. */
const DATABASE = storeName();

/** What belongs to a run, by its number. */
const OWNED = ["events", "tasks", "activities", "inbox", "attributes", "cache"];

/** The URL of the database, on the server that tests use or on another. */
async function storeUrl(server?: string): Promise<string> {
  const url = new URL(server ?? (await findMysql()).url);
  url.pathname = DATABASE;
  return url.href;
}

let prepared: Promise<Pool> | undefined;

/** The connections of the harness itself, once its database is there, with a table of how far the clock of each case was moved. */
function harness(): Promise<Pool> {
  prepared ??= findMysql().then(({ url }) => prepare(url));
  return prepared;
}

async function prepare(url: string): Promise<Pool> {
  const server = await createConnection(url);
  const [found] = await server.query<RowDataPacket[]>("show databases like 'perdure\\_conformance\\_%'");
  for (const name of found.flatMap((row) => Object.values(row) as string[]).filter((one) => !isAlive(one))) {
    await server.query("drop database if exists ??", [name]);
  }
  await server.query("create database if not exists ??", [DATABASE]);
  await server.end();
  const callbacks = createPool({ uri: await storeUrl(url), connectionLimit: 2, multipleStatements: true });
  callbacks.on("connection", (connection) => {
    // What the harness deletes must not lock the gaps around it: cases work beside one another.
    connection.query("set session transaction isolation level read committed");
  });
  // A connection that nobody uses keeps no process alive.
  callbacks.on("acquire", (connection) => socketOf(connection).ref());
  callbacks.on("release", (connection) => socketOf(connection).unref());
  const pool = callbacks.promise();
  await pool.query("create table if not exists clock_offsets (name varbinary(255) primary key, ms bigint not null)");
  return pool;
}

function socketOf(connection: PoolConnection): Socket {
  return (connection as PoolConnection & { readonly stream: Socket }).stream;
}

/** Connections of transactions, by case: they are ended with it. */
const used = new Map<string, Connection[]>();

/** One database for a process, in the MySQL or MariaDB that tests use. */
const subject: BackendUnderTest = {
  name: "mysql",
  module: new URL(import.meta.url),
  server: addressOf((await findMysql()).url),
  async version() {
    const [[row]] = await (await harness()).query<RowDataPacket[]>("select version() as version");
    const version = row!["version"] as string;
    return `${version.includes("MariaDB") ? "MariaDB" : "MySQL"} ${version.split("-", 1)[0]}`;
  },
  async open({ namespace, server }) {
    const own = ownUrl(server);
    if (own === undefined) await harness();
    const url = await storeUrl(own);
    const offset = `(select ms from clock_offsets where name = '${caseOf(namespace)}')`;
    return mysql({
      url: own !== undefined || server === undefined ? url : urlAt(url, server),
      maxConnections: 4,
      namespace,
      clock: `timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000 + coalesce(${offset}, 0)`,
    });
  },
  async startServer() {
    const server = await startMariadb();
    const pool = await prepare(server.url);
    await pool.end();
    noteOwnServer(server);
    return server;
  },
  async transaction(namespace, _backend, run) {
    await harness();
    // As isolated as the server likes, and never used again: the next transaction on it would be taken for this one.
    const connection = await createConnection(await storeUrl());
    used.set(namespace, [...(used.get(namespace) ?? []), connection]);
    try {
      await connection.beginTransaction();
      const answer = await run(connection);
      await connection.commit();
      return answer;
    } catch (error) {
      await connection.rollback();
      throw error;
    }
  },
  async advance(namespace, ms) {
    const pool = await harness();
    await pool.query("insert into clock_offsets (name, ms) values (?, ?) on duplicate key update ms = ms + ?", [
      caseOf(namespace),
      ms,
      ms,
    ]);
  },
  async residue(namespace, runId) {
    const pool = await harness();
    const ns = "(select no from perdure_namespaces where name = :namespace)";
    const others = `(select no from perdure_runs where id <> :runId or ns <> ${ns})`;
    const counts = OWNED.map((table) => `(select count(*) from perdure_${table} where run not in ${others})`);
    const own = `(select count(*) from perdure_runs where ns = ${ns} and id = :runId)`;
    const [rows] = await pool.query<RowDataPacket[]>({
      sql: `select ${[own, ...counts].join(" + ")} as records`,
      values: { namespace, runId },
      namedPlaceholders: true,
    } as never);
    return Number(rows[0]!["records"]);
  },
  async destroy(namespace) {
    for (const connection of used.get(namespace) ?? []) connection.destroy();
    used.delete(namespace);
    const pool = await harness();
    const [found] = await pool
      .query<RowDataPacket[]>("select no from perdure_namespaces where name = ?", [namespace])
      .catch(() => [[]]);
    for (const { no: ns } of found as RowDataPacket[]) {
      const [runs] = await pool.query<RowDataPacket[]>(`select no from perdure_runs where ns = ${ns}`);
      const ofRuns = runs.flatMap(({ no }) =>
        OWNED.filter((name) => name !== "cache").map((table) => `delete from perdure_${table} where run = ${no}`),
      );
      const ofNamespace = ["cache", "runs", "lanes"].map((table) => `delete from perdure_${table} where ns = ${ns}`);
      // One after the other, and no range of an index as a whole: other cases work beside this one.
      await pool.query([...ofRuns, ...ofNamespace, `delete from perdure_namespaces where no = ${ns}`].join(";"));
    }
  },
};

export default subject;
