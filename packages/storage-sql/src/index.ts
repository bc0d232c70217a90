/** What SQL storages share. Adapters bring a dialect, a driver, and signals. */
export { SqlBackend, type SqlBackendOptions } from "./backend.ts";
export type { ColumnTypes, SqlDialect } from "./dialect.ts";
export type { Signals, SqlDriver } from "./driver.ts";
export { addPulse, lastPulse, type Pulse, pulsesAfter, touchPulse } from "./pulse.ts";
export { compile, kyselyFor, type Query, type Statement } from "./query.ts";
export { runAsync, runSync, type Step, type Steps } from "./steps.ts";
export { readTopics, type TopicCode, writeTopics } from "./topics.ts";
