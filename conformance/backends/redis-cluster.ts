import { redis } from "@perdure/storage-redis";
import { findRedisCluster, startRedisCluster } from "perdure-servers";
import type { BackendUnderTest } from "../src/subject.ts";
import { noteOwnServer, ownUrl } from "./process-store.ts";
import { redisOptions, redisStore, removeLeftovers } from "./redis-subject.ts";

const { url } = await findRedisCluster();
let swept: Promise<void> | undefined;

/**
 * A prefix for each case, in the Redis Cluster that tests use. It names no `server`: the suite's proxy stands before one address, and a
 * client of a Cluster talks to all nodes under theirs. A proxy before one of three would cut and black out a third of the runs, and the
 * cases would wait in vain for the others to suffer. What can break between client and server is tried on the single server; what only a
 * Cluster has (failover, resharding) by the adapter's own tests.
 */
const subject: BackendUnderTest = {
  ...redisStore({ nodes: [url] }),
  name: "redis-cluster",
  module: new URL(import.meta.url),
  async open({ namespace, server }) {
    await (swept ??= removeLeftovers({ nodes: [url] }));
    return redis({ nodes: [ownUrl(server) ?? url], ...redisOptions(namespace) });
  },
  async startServer() {
    const cluster = await startRedisCluster();
    noteOwnServer(cluster);
    return cluster;
  },
};

export default subject;
