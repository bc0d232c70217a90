import { setTimeout as sleep } from "node:timers/promises";
import { redis } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { findRedis } from "perdure-servers";
import { expect, onTestFinished, test } from "vitest";
import { closedAfterTest } from "../../storage-sql/test/closed-after-test.ts";
import { describeDeadNetwork, networkTo } from "../../storage-sql/test/dead-network.ts";
import { Connection } from "../src/connection.ts";
import { Hints } from "../src/hints.ts";
import { settingsOf } from "../src/options.ts";
import { admin, newPrefix } from "./scratch.ts";

const { url } = await findRedis();

describeDeadNetwork(async () => {
  const prefix = newPrefix();
  await closedAfterTest(redis({ url, prefix })).setup();
  const { proxy, through } = await networkTo(url, 6379);
  return {
    proxy,
    open: (requestTimeout) => redis({ url: through, prefix, requestTimeout }),
    openInPool(requestTimeout) {
      const client = new Redis(through);
      client.on("error", () => {});
      onTestFinished(() => client.disconnect());
      return redis({ client, prefix, requestTimeout });
    },
  };
});

test(
  "a subscriber whose network dies notices, hears again when it is back, and looks then",
  { timeout: 30_000 },
  async () => {
    const { proxy, through } = await networkTo(url, 6379);
    const channel = `${newPrefix()}hints`;
    const connection = new Connection(settingsOf({ url: through, requestTimeout: 200 }));
    const hints = new Hints(connection, channel, 50);
    onTestFinished(async () => {
      await hints.close();
      await connection.close();
    });
    let heard = 0;
    const subscription = await hints.subscribe(() => heard++);
    subscription.add({ of: "queue", queue: "default" });
    await admin.publish(channel, '["qdefault"]');
    await expect.poll(() => heard, { interval: 5 }).toBe(1);

    proxy.blackhole(true);
    // The next look, the requestTimeout, and what a client takes to close a connection.
    await sleep(1_500);
    proxy.blackhole(false);
    await expect.poll(() => heard, { interval: 5, timeout: 10_000 }).toBe(2);
    await admin.publish(channel, '["qdefault"]');
    await expect.poll(() => heard, { interval: 5 }).toBe(3);
  },
);
