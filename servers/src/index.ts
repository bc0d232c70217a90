export type { TestServer } from "./daemon.ts";
export { findMysql, findPostgres, type FoundServer } from "./find.ts";
export { startMariadb } from "./mariadb.ts";
export type { ServerOptions } from "./options.ts";
export { type PgBouncerOptions, startPgBouncer } from "./pgbouncer.ts";
export { startPostgres } from "./postgres.ts";
export { skippedBackends } from "./skipped.ts";
