import { mysql } from "@perdure/storage-mysql";
import { createPool as createCallbackPool } from "mysql2";
import { createPool, type Pool } from "mysql2/promise";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { anything, done, newRun } from "../../storage-sql/test/requests.ts";
import { newDatabase } from "./scratch.ts";

const SETTINGS =
  "show variables where variable_name in ('sql_mode', 'autocommit', 'tx_isolation', 'transaction_isolation', 'wait_timeout', " +
  "'innodb_lock_wait_timeout', 'sql_safe_updates')";

/** Options of the caller's that change what drivers answer. */
const WEIRD = {
  rowsAsArray: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  namedPlaceholders: true,
  typeCast: () => "nothing",
};

describe("a pool of the caller's", () => {
  test.each([
    ["with promises", (uri: string): Pool => createPool({ uri, connectionLimit: 3 })],
    ["with callbacks", (uri: string) => createCallbackPool({ uri, connectionLimit: 3 })],
    ["that takes several statements", (uri: string): Pool => createPool({ uri, multipleStatements: true })],
    ["with options of its own", (uri: string): Pool => createPool({ uri, connectionLimit: 1, ...WEIRD })],
  ])("%s", async (_, make) => {
    const pool = make(await newDatabase());
    onTestFinished(() => void pool.end());
    const storages = ["one", "two"].map((namespace) => mysql({ pool: pool as Pool, namespace }));
    const ids = Array.from({ length: 20 }, (_, index) => `run-${index}`);
    await Promise.all(storages.flatMap((storage) => ids.map((runId) => storage.createRuns([newRun(runId)]))));
    for (const storage of storages) {
      expect((await storage.stats()).runs.open).toBe(20);
      const { tasks } = await storage.claimTasks(anything());
      const ended = await storage.commitTasks(tasks.map(({ claim }) => done(claim, 1)));
      expect(ended.map(({ status }) => status)).toEqual(ids.map(() => "ok"));
      await storage.close();
    }
  });

  test("stays the caller's: open, and as it was", async () => {
    const pool = createPool({ uri: await newDatabase(), connectionLimit: 1 });
    onTestFinished(() => pool.end());
    const [before] = await pool.query(SETTINGS);
    const end = vi.spyOn(pool.pool, "end");
    const storage = mysql({ pool });
    await storage.createRuns([newRun("run")]);
    const subscription = await storage.subscribe!(() => {});
    await subscription.close();
    await storage.close();
    expect(end).not.toHaveBeenCalled();
    const [after] = await pool.query(SETTINGS);
    expect(after).toEqual(before);
  });
});
