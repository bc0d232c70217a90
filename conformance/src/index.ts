/** The suite that proves that a Perdure storage keeps its promises. */
export type { CaseGroup, CaseId, ConformanceCase, Twin } from "./case.ts";
export { CASES } from "./cases/index.ts";
export type { CaseContext, ClientOptions } from "./context.ts";
export { ConformanceFailure } from "./failure.ts";
export { type Fault, type FaultKind, type FaultPlan, type FaultyBackend, withFaults } from "./faults.ts";
export { INVARIANTS, type InvariantTag } from "./invariants.ts";
export { type Level, LEVELS, LEVEL_TITLES } from "./level.ts";
export type { Aim, Cut } from "./proxy/cut.ts";
export { type NetworkFaults, type ServerAddress, TcpProxy } from "./proxy/proxy.ts";
export { type CaseReport, type CaseStatus, type ConformanceReport, type MutantReport, isPass } from "./report.ts";
export type { Requirement } from "./requirement.ts";
export { type RunOptions, runConformance } from "./runner.ts";
export { SCENARIOS, type ScenarioTag } from "./scenarios.ts";
export type { BackendUnderTest, ClientClock, OpenOptions, OwnServer } from "./subject.ts";
