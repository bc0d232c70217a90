import type { NewRun } from "@perdure/core/storage";
import { mysql } from "@perdure/storage-mysql";
import { kyselyFor } from "@perdure/storage-sql";
import { createPool } from "mysql2";
import { expect, test } from "vitest";
import { anything, newRun } from "../../storage-sql/test/requests.ts";
import { MysqlSql } from "../src/dialect.ts";
import { newDatabase } from "./scratch.ts";

/** A pool whose connections wait before each commit until the gate is open; `reached` says that the first one waits. */
function gatedPool(url: string) {
  let open = (): void => {};
  let arrive = (): void => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  let isClosed = false;
  const pool = createPool({ uri: url, charset: "utf8mb4_bin", connectionLimit: 2 });
  pool.on("connection", (connection) => {
    const query = connection.query.bind(connection) as (...args: unknown[]) => unknown;
    connection.query = ((options: { readonly sql?: string }, ...others: unknown[]) => {
      if (!isClosed || options.sql !== "commit") return query(options, ...others);
      arrive();
      return void gate.then(() => void query(options, ...others));
    }) as never;
  });
  return { pool, reached, open: () => open(), close: () => (isClosed = true) };
}

test.each<[string, Partial<NewRun>[]]>([
  ["of the queue that comes next in the index", [{ queue: "a" }, { queue: "b" }]],
  [
    "whose deadline comes next",
    [
      { queue: "a", deadlineAt: 1 },
      { queue: "b", deadlineAt: Date.now() + 900_000 },
    ],
  ],
])("a claim holds up no claim of a task %s (I27)", async (_, runs) => {
  const url = await newDatabase();
  const { pool, reached, open, close } = gatedPool(url);
  const [one, other] = [mysql({ pool }), mysql(url)];
  await one.setup();
  // In one index order, whatever numbers the queues' lanes have got.
  for (const [at, run] of runs.entries()) await one.createRuns([newRun(`run-${at}`, run)]);
  close();
  const claim = one.claimTasks(anything({ queues: ["a"] }));
  await reached;
  const { tasks } = await other.claimTasks(anything({ queues: ["b"], workerInstance: "worker-2" }));
  open();
  expect(tasks.map((task) => task.claim.runId)).toEqual(["run-1"]);
  expect((await claim).tasks.map((task) => task.claim.runId)).toEqual(["run-0"]);
  for (const storage of [one, other]) await storage.close();
  await pool.promise().end();
});

test("a claim takes tasks by their key, also where the server would rather read all of a small table", () => {
  const dialect = new MysqlSql({ clock: "1", origin: "", isOwnSession: true, maxLength: 1000, patienceSeconds: 1 });
  const tasks = kyselyFor(dialect).selectFrom("perdure_tasks").select("epoch").where("lane", "=", 7);
  const { sql, parameters } = dialect.lockFree(tasks.orderBy("visible_at").limit(5), 20).compile();
  expect(sql).toBe(
    "select `epoch` from (select `run` as `run_`, `seq` as `seq_` from `perdure_tasks` where `lane` = ? order by `visible_at` " +
      "limit ?) as found_ straight_join `perdure_tasks` force index (primary) where `lane` = ? and run = run_ and seq = seq_ " +
      "limit ? for update skip locked",
  );
  expect(parameters).toEqual([7, 20, 7, 5]);
});
