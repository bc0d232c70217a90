/** The test kit: virtual time, mocks, crashes, assertions on histories, and replay of recorded ones. */
export type { CrashAfterOptions, CrashAtOptions, CrashBeforeOptions, PlannedCrash } from "./testing/crashes.ts";
export {
  type MakeStorage,
  type RestartOptions,
  type TestEnvironment,
  type TestEnvironmentOptions,
  createTestEnvironment,
} from "./testing/environment.ts";
export { type EveryCrashOptions, everyCrash } from "./testing/every-crash.ts";
export { type ExportedHistory, exportHistory } from "./testing/export-history.ts";
export type { Mock, MockCall } from "./testing/mocks.ts";
export type { Command } from "./testing/observed-execution.ts";
export { type Replay, type ReplayOptions, replayHistory } from "./testing/replay-history.ts";
