export type { TestServer } from "./daemon.ts";
export { findMysql, findPostgres, findRedis, findRedisCluster, type FoundServer } from "./find.ts";
export { startMariadb } from "./mariadb.ts";
export type { ServerOptions } from "./options.ts";
export { type PgBouncerOptions, startPgBouncer } from "./pgbouncer.ts";
export { startPostgres } from "./postgres.ts";
export { type RedisClusterOptions, startRedisCluster, type TestRedisCluster } from "./redis-cluster.ts";
export { startRedis } from "./redis.ts";
export { skippedBackends } from "./skipped.ts";
