/** The test kit: virtual time, and replay of recorded histories. */
export { type TestEnvironment, type TestEnvironmentOptions, createTestEnvironment } from "./testing/environment.ts";
export { type ExportedHistory, exportHistory } from "./testing/export-history.ts";
export type { Command } from "./testing/observed-execution.ts";
export { type Replay, type ReplayOptions, replayHistory } from "./testing/replay-history.ts";
