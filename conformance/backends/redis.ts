import { redis } from "@perdure/storage-redis";
import { findRedis, startRedis } from "perdure-servers";
import type { BackendUnderTest } from "../src/subject.ts";
import { addressOf, noteOwnServer, ownUrl, urlAt } from "./process-store.ts";
import { redisOptions, redisStore, removeLeftovers } from "./redis-subject.ts";

const { url } = await findRedis();
let swept: Promise<void> | undefined;

/** A prefix for each case, in the Redis that tests use. */
const subject: BackendUnderTest = {
  ...redisStore({ url }),
  name: "redis",
  module: new URL(import.meta.url),
  server: addressOf(url),
  async open({ namespace, server }) {
    await (swept ??= removeLeftovers({ url }));
    const own = ownUrl(server);
    return redis({ url: own ?? (server === undefined ? url : urlAt(url, server)), ...redisOptions(namespace) });
  },
  async startServer() {
    const server = await startRedis();
    noteOwnServer(server);
    return server;
  },
};

export default subject;
