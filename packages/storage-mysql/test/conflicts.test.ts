import { promisify } from "node:util";
import {
  type Connection,
  type ConnectionPool,
  ServerDriver,
  type ServerStatement,
  type StatementResult,
} from "@perdure/storage-sql";
import { mysql } from "@perdure/storage-mysql";
import { createPool, type PoolConnection } from "mysql2";
import { type Connection as MysqlClient, createConnection, type RowDataPacket } from "mysql2/promise";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { anything, hold, newRun } from "../../storage-sql/test/requests.ts";
import { MysqlConnection } from "../src/connection.ts";
import { MysqlSql } from "../src/dialect.ts";
import { newDatabase } from "./scratch.ts";

/** A node of a cluster: whether others have written the same is found out at the commit. */
class Cluster implements ConnectionPool, Connection {
  readonly sent: string[] = [];
  #conflicts: number;

  constructor(conflicts: number) {
    this.#conflicts = conflicts;
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  join<T>(_transaction: unknown, use: (connection: Connection) => Promise<T>): Promise<T> {
    return use(this);
  }

  with<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    return use(this);
  }

  async send(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    this.sent.push(...statements.map(({ sql }) => sql));
    if (this.sent.at(-1) === "commit" && this.#conflicts-- > 0) {
      throw Object.assign(new Error("Deadlock found when trying to get lock"), { errno: 1213, sqlState: "40001" });
    }
    return statements.map(({ sql }) =>
      sql.startsWith("select") ? { rows: [{ now: 1 }], count: 0 } : { rows: [], count: 0 },
    );
  }
}

function driverOver(cluster: Cluster): { readonly driver: ServerDriver; readonly dialect: MysqlSql } {
  const dialect = new MysqlSql({ clock: "1", origin: "", isOwnSession: true, maxLength: 1000, patienceSeconds: 1 });
  return { driver: new ServerDriver(dialect, cluster), dialect };
}

describe("a cluster that refuses a commit", () => {
  test("is asked again, after an explicit rollback", async () => {
    const cluster = new Cluster(2);
    const { driver, dialect } = driverOver(cluster);
    expect(await driver.write(() => dialect.now())).toBe(1);
    const once = ["start transaction", "select 1 as `now`", "commit"];
    expect(cluster.sent).toEqual([...once, "rollback", ...once, "rollback", ...once]);
  });

  test("again and again makes the store unavailable", async () => {
    const { driver, dialect } = driverOver(new Cluster(Infinity));
    await expect(driver.write(() => dialect.now())).rejects.toMatchObject({ code: "unavailable" });
  });
});

/** The server looks anew only when it was not asked for a tenth of a second. */
const WAITING = { interval: 120, timeout: 10_000 };

/** How many transactions wait for a lock in this database. */
async function waits(connection: MysqlClient): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>(
    "select count(*) as count from information_schema.innodb_trx, information_schema.processlist " +
      "where trx_mysql_thread_id = id and db = database() and trx_state = 'LOCK WAIT'",
  );
  return rows[0]!["count"] as number;
}

test("a commit that the server gives up to end a deadlock is made again", async () => {
  const url = await newDatabase();
  const storage = mysql(url);
  onTestFinished(() => storage.close());
  const ids = ["a", "b"];
  await storage.createRuns(ids.map((runId) => newRun(runId)));
  const { tasks } = await storage.claimTasks(anything());
  const claims = tasks.map(({ claim }) => claim);
  const other = await createConnection(url);
  onTestFinished(() => other.end());
  await other.query("create table weight (n int)");
  const send = vi.spyOn(MysqlConnection.prototype, "send");
  onTestFinished(() => send.mockRestore());
  for (let round = 0; round < 3; round++) {
    await other.beginTransaction();
    // The server gives up who has written less.
    await other.query(`insert into weight values ${Array.from({ length: 100 }, (_, n) => `(${n})`).join()}`);
    const lock =
      "select 1 from perdure_tasks where run = (select no from perdure_runs where id = ?) and seq = 0 for update";
    await other.query(lock, ["b"]);
    // It locks the one run, and then waits for the other.
    const committed = storage.commitTasks(claims.map((claim) => hold(claim, round + 1)));
    await expect.poll(() => waits(other), WAITING).toBe(1);
    await other.query(lock, ["a"]);
    await other.commit();
    expect(await committed).toMatchObject([{ status: "ok" }, { status: "ok" }]);
  }
  expect(send.mock.calls.filter(([statements]) => statements[0]?.sql === "rollback").length).toBeGreaterThanOrEqual(3);
  const pages = await storage.readEvents(ids.map((runId) => ({ runId, after: 0 })));
  expect(pages.map(({ lastSeq }) => lastSeq)).toEqual([4, 4]);
});

test("a read whose table somebody alters or creates after its moment is made again (I25)", async () => {
  const url = await newDatabase();
  const pool = createPool({ uri: url, charset: "utf8mb4_bin", connectionLimit: 2 });
  const storage = mysql({ pool });
  onTestFinished(async () => {
    await storage.close();
    await pool.promise().end();
  });
  await storage.createRuns([newRun("r")]);
  const other = await createConnection(url);
  onTestFinished(() => other.end());
  // Nothing but a new moment helps: the table is another one from then on.
  let altered = 0;
  const spoil = (connection: PoolConnection): void => {
    const query = connection.query.bind(connection) as (...args: unknown[]) => unknown;
    connection.query = ((options: { readonly sql?: string }, done: (...answer: never[]) => void) => {
      const isBeginning = options.sql?.startsWith("start transaction with consistent snapshot") === true;
      if (!isBeginning || altered === 2) return query(options, done);
      altered += 1;
      return query(options, (...answer: never[]) => void alter().finally(() => done(...answer)));
    }) as never;
  };
  const alter = (): Promise<unknown> => other.query("alter table perdure_runs force");
  const connections = await Promise.all([1, 2].map(() => promisify(pool.getConnection.bind(pool))()));
  for (const connection of connections) {
    spoil(connection);
    connection.release();
  }
  expect(await storage.getRun("r")).toMatchObject({ runId: "r" });
  expect(altered).toBe(2);
});
