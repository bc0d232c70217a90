// Global setup of the vitest projects that need a Redis Cluster.
import { redisCluster, shareServer } from "../find.ts";

export const setup = (): Promise<void> => shareServer(redisCluster);
