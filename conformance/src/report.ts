import type { Capabilities } from "@perdure/core/storage";
import type { InvariantTag } from "./invariants.ts";
import type { Level } from "./level.ts";

/** How a case ended. `not-applicable` is never a pass: the backend does not declare what the case needs. */
export type CaseStatus = "passed" | "failed" | "not-applicable";

/** What became of one case. */
export interface CaseReport {
  readonly id: string;
  readonly level: Level;
  readonly invariants: readonly InvariantTag[];
  readonly status: CaseStatus;
  readonly ms: number;
  /** What the case counted as it ran: kills, executions that were repeated, … */
  readonly counts?: Readonly<Record<string, number>>;
  /** Why it failed, with everything that teaches; or what is missing to make it applicable. */
  readonly message?: string;
}

/** What became of one broken backend. */
export interface MutantReport {
  readonly name: string;
  /** The case that failed it, as expected; `null`: it survived. */
  readonly killedBy: string | null;
}

/** One run of the suite over one backend, as JSON. */
export interface ConformanceReport {
  readonly schema: 1;
  /** Package and version. */
  readonly suite: string;
  readonly backend: string;
  /** The store underneath and its version, where the subject tells it. */
  readonly store?: string;
  /** Node's version, platform and architecture. */
  readonly runtime: string;
  readonly capabilities: Capabilities;
  readonly seed: number;
  /** From the first case to the end of the last. */
  readonly ms: number;
  /** Not every case of the suite was asked for: what passed says nothing about the others. Absent if all were. */
  readonly partial?: true;
  readonly cases: readonly CaseReport[];
  /** How often each declared guard was seen to refuse. */
  readonly guards: Readonly<Record<string, number>>;
  /** What went wrong outside of any case, in sentences; absent if nothing did. */
  readonly problems?: readonly string[];
  readonly mutants?: readonly MutantReport[];
}

/** Guards that were declared by a case that ran, and never fired. */
export function silentGuards({ guards }: ConformanceReport): readonly string[] {
  return Object.keys(guards).filter((name) => guards[name] === 0);
}

/** Whether every applicable case passed, every guard fired, nothing went wrong beside them and no mutant survived. */
export function isPass(report: ConformanceReport): boolean {
  return (
    report.cases.some(({ status }) => status === "passed") &&
    report.cases.every(({ status }) => status !== "failed") &&
    silentGuards(report).length === 0 &&
    (report.problems ?? []).length === 0 &&
    (report.mutants ?? []).every(({ killedBy }) => killedBy !== null)
  );
}
