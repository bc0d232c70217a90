import { mysql } from "@perdure/storage-mysql";
import { createPool } from "mysql2/promise";
import { expect, onTestFinished, test } from "vitest";
import { closedAfterTest } from "../../storage-sql/test/closed-after-test.ts";
import { describeDeadNetwork, networkTo } from "../../storage-sql/test/dead-network.ts";
import { newRun } from "../../storage-sql/test/requests.ts";
import { MysqlPool } from "../src/pool.ts";
import { settingsOf } from "../src/options.ts";
import { newDatabase } from "./scratch.ts";

const PORT = 3306;

describeDeadNetwork(async () => {
  const url = await newDatabase();
  await closedAfterTest(mysql(url)).setup();
  const { proxy, through } = await networkTo(url, PORT);
  return {
    proxy,
    open: (requestTimeout) => mysql({ url: through, requestTimeout, maxConnections: 1 }),
    openInPool(requestTimeout) {
      const pool = createPool({ uri: through, connectionLimit: 1 });
      onTestFinished(() => pool.end());
      return mysql({ pool, requestTimeout });
    },
  };
});

test("a dead network does not keep rows locked that a call has locked before (I8)", async () => {
  const url = await newDatabase();
  const { proxy, through } = await networkTo(url, PORT);
  const other = closedAfterTest(mysql(url));
  await other.createRuns([newRun("run")]);
  const pool = new MysqlPool(settingsOf(through));
  await pool.open();
  const lost = pool.with(async (connection) => {
    // Twenty seconds in a session of ours; for a test it is shorter.
    const lock = ["set wait_timeout = 1", "start transaction", "select * from perdure_tasks for update"];
    await connection.send(lock.map((sql) => ({ sql, values: [] })));
    proxy.blackhole(true);
    const message = { runId: "run", dedupeId: "1", external: true, data: "1" };
    expect(await other.deliver([message])).toEqual([{ status: "accepted" }]);
    proxy.blackhole(false);
    await connection.send([{ sql: "commit", values: [] }]);
  });
  await expect(lost).rejects.toMatchObject({ fatal: true });
  await pool.close();
});
