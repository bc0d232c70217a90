import { mysql } from "@perdure/storage-mysql";
import { createPool } from "mysql2/promise";
import { startMariadb } from "perdure-servers";
import { expect, onTestFinished, test } from "vitest";
import { child } from "../../storage-sql/test/child.ts";
import { describeLostConnections } from "../../storage-sql/test/lost-connections.ts";
import { killConnections, newDatabase } from "./scratch.ts";

describeLostConnections({
  async newStore() {
    const url = await newDatabase();
    return {
      open: () => mysql({ url, maxConnections: 4 }),
      openInPool() {
        const pool = createPool(url);
        onTestFinished(() => pool.end());
        return mysql({ pool });
      },
      endConnections: () => killConnections(url),
    };
  },
  start: startMariadb,
  open: (url) => mysql({ url, maxConnections: 4 }),
});

test("a server that has no connection left says so", { timeout: 60_000 }, async () => {
  const server = await startMariadb({ settings: { max_connections: 10 } });
  onTestFinished(() => server.stop());
  const storages = Array.from({ length: 12 }, () => mysql({ url: server.url, maxConnections: 1 }));
  onTestFinished(async () => void (await Promise.all(storages.map((storage) => storage.close()))));
  const outcomes = await Promise.allSettled(storages.map((storage) => storage.setup()));
  const refused = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as Error] : []));
  expect(refused).not.toEqual([]);
  for (const error of refused) expect(error).toMatchObject({ code: "unavailable", details: { errno: 1040 } });
});

test("a storage that nobody closed keeps no process alive (I28)", async () => {
  expect(await child(new URL("children/forget.ts", import.meta.url), [await newDatabase()])).toBe("subscribed");
});
