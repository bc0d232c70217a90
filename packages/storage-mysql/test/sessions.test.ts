import { mysql } from "@perdure/storage-mysql";
import { createPool } from "mysql2/promise";
import { startMariadb } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { anything, done, newRun } from "../../storage-sql/test/requests.ts";
import { newDatabase } from "./scratch.ts";

test("defaults of a server that are not what a store needs do it no harm", { timeout: 60_000 }, async () => {
  const server = await startMariadb({
    settings: {
      sql_mode: "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH",
      "transaction-isolation": "SERIALIZABLE",
      "default-time-zone": "-11:00",
      "character-set-server": "latin1",
      "collation-server": "latin1_swedish_ci",
      autocommit: 0,
      sql_safe_updates: 1,
      wait_timeout: 1,
    },
  });
  onTestFinished(() => server.stop());
  const storages = Array.from({ length: 4 }, () => mysql({ url: server.url, maxConnections: 3 }));
  onTestFinished(async () => void (await Promise.all(storages.map((storage) => storage.close()))));
  await Promise.all(storages.map((storage) => storage.setup()));
  const runs = Array.from({ length: 5 }, (_, at) =>
    newRun(`it's "a" \\ — 🎉 ${at} `, { incarnation: "incarnation-12345" }),
  );
  const made = await Promise.all(storages.map((storage) => storage.createRuns(runs)));
  expect(made.flat().filter(({ status }) => status === "created")).toHaveLength(5);
  expect(Math.abs((await storages[0]!.now()) - Date.now())).toBeLessThan(10_000);
  const claimed = await Promise.all(
    storages.map((storage, at) => storage.claimTasks(anything({ workerInstance: `worker-${at}`, limit: 2 }))),
  );
  const claims = claimed.map(({ tasks }) => tasks.map(({ claim }) => claim));
  expect(new Set(claims.flat().map(({ runId }) => runId)).size).toBe(claims.flat().length);
  const ended = await Promise.all(
    storages.map((storage, at) => storage.commitTasks(claims[at]!.map((claim) => done(claim, 1)))),
  );
  expect(ended.flat().filter(({ status }) => status !== "ok")).toEqual([]);
});

describe("a pool of the caller's is refused", () => {
  test.each([
    ["backslashes stand for themselves", "set sql_mode = 'STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES'", "sql_mode"],
    ["what is too long is shortened", "set sql_mode = ''", "STRICT_TRANS_TABLES"],
    ["emoji are unknown", "set names latin1", "utf8mb4"],
  ])("where %s", async (_, statement, says) => {
    const pool = createPool(await newDatabase());
    onTestFinished(() => pool.end());
    pool.on("connection", (connection) => {
      (connection as unknown as { query(sql: string): void }).query(statement);
    });
    const storage = mysql({ pool });
    const refused = storage.setup();
    await expect(refused).rejects.toMatchObject({ code: "misconfigured" });
    await expect(refused).rejects.toThrow(says);
    await storage.close();
  });
});
