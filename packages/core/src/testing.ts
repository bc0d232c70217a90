/** The test kit: virtual time, mocks, crashes, assertions on histories, and replay of recorded ones. */
export type { CrashAfterOptions, CrashAtOptions, CrashBeforeOptions, PlannedCrash } from "./testing/crashes.ts";
export { createTestEnvironment } from "./testing/virtual-environment.ts";
export { type EveryCrashOptions, everyCrash } from "./testing/every-crash.ts";
export {
  type ExpectedActivity,
  type ExpectedEnd,
  type HistoryExpectation,
  type Moment,
  type Times,
  expectHistory,
} from "./testing/expect-history.ts";
export { type ExportedHistory, exportHistory } from "./testing/export-history.ts";
export type { Mock, MockCall } from "./testing/mocks.ts";
export type { Command } from "./testing/observed-execution.ts";
export type { RecordedActivity, RecordedChild, RecordedSignal, RecordedTimer } from "./testing/recorded.ts";
export { type RunHistory, readHistory } from "./testing/run-history.ts";
export { type Replay, type ReplayOptions, replayHistory } from "./testing/replay-history.ts";
export type {
  MakeStorage,
  RestartOptions,
  TestEnvironment,
  TestEnvironmentOptions,
} from "./testing/test-environment.ts";
export { type VirtualRuntime, virtualRuntime } from "./testing/virtual-runtime.ts";
