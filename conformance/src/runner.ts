import { createRequire } from "node:module";
import type { Capabilities } from "@perdure/core/storage";
import type { ConformanceCase } from "./case.ts";
import { CASES } from "./cases/index.ts";
import type { Chances } from "./chances.ts";
import type { Level } from "./level.ts";
import type { CaseReport, ConformanceReport } from "./report.ts";
import { type CaseOutcome, runCase } from "./run-case.ts";
import type { Strikes } from "./strikes.ts";
import type { BackendUnderTest } from "./subject.ts";

export interface RunOptions extends Partial<Strikes>, Chances {
  /** All by default. */
  readonly levels?: readonly Level[];
  /** Only cases whose id contains this text, or that play the scenario with this tag. */
  readonly grep?: string;
  /** Reproduces every choice that cases make by chance; 1 by default. */
  readonly seed?: number;
  /** Stop after the first failure. */
  readonly bail?: boolean;
  /** So many cases of L1 to L3 at once; 4 by default, 1 with `bail`. They share nothing but the machine, and mostly wait. */
  readonly jobs?: number;
  readonly timeoutMs?: number;
  /** The large numbers. */
  readonly full?: boolean;
  /** Other cases than the suite's own. */
  readonly cases?: readonly ConformanceCase[];
  /** Is told of each case as it ends. */
  readonly onCase?: (report: CaseReport) => void;
}

/** Package and version, as reports name it. */
const SUITE = suiteName();

/** The cases that these options select. */
export function selectCases({ levels, grep, cases = CASES }: RunOptions): readonly ConformanceCase[] {
  return cases.filter(
    ({ id, level, scenarios = [] }) =>
      (levels?.includes(level) ?? true) &&
      (grep === undefined || id.includes(grep) || scenarios.some((tag) => tag === grep)),
  );
}

/**
 * Runs the suite over one backend. Never throws for what the backend does: that is in the report.
 * A guard that a finished case declared and that never fired stands in the report with 0, and is no pass.
 */
export async function runConformance(subject: BackendUnderTest, options: RunOptions = {}): Promise<ConformanceReport> {
  const { seed = 1, bail = false, jobs = bail ? 1 : 4, onCase } = options;
  const selected = selectCases(options);
  const order = new Map(selected.map(({ id }, index) => [id as string, index]));
  const reports: CaseReport[] = [];
  const guards: Record<string, number> = {};
  let capabilities: Capabilities | undefined;
  let stopped = false;

  function note(outcome: CaseOutcome): void {
    capabilities ??= outcome.capabilities;
    reports.push(outcome.report);
    if (outcome.report.status === "failed") stopped ||= bail;
    else for (const [name, count] of outcome.guards) guards[name] = (guards[name] ?? 0) + count;
    onCase?.(outcome.report);
  }

  async function work(queue: ConformanceCase[]): Promise<void> {
    for (let next = queue.shift(); next !== undefined && !stopped; next = queue.shift()) {
      const outcome = await runCase(subject, next, { ...options, seed });
      note(outcome);
      if (outcome.twin !== undefined) {
        order.set(outcome.twin.id, order.get(next.id)! + 0.5);
        note(await runCase(subject, outcome.twin, { ...options, seed }));
      }
    }
  }

  const beganAt = performance.now();
  await work(selected.filter(isAlone));
  const others = selected.filter((one) => !isAlone(one));
  await Promise.all(Array.from({ length: jobs }, () => work(others)));
  const store = await versionOf(subject);
  await subject.end?.();
  return {
    schema: 1,
    suite: SUITE,
    backend: subject.name,
    ...(store !== undefined && { store }),
    runtime: `node ${process.version} ${process.platform}-${process.arch}`,
    capabilities: capabilities ?? UNKNOWN,
    seed,
    ms: Math.round(performance.now() - beganAt),
    cases: reports.toSorted((a, b) => order.get(a.id)! - order.get(b.id)!),
    guards,
  };
}

/** Some look at the whole process; those of L4 and L5 need all of the machine. */
function isAlone({ alone = false, level }: ConformanceCase): boolean {
  return alone || level === "L4" || level === "L5";
}

/** Of a backend that could not be opened. */
const UNKNOWN: Capabilities = {
  clock: { kind: "shared" },
  processes: "one",
  durability: "memory",
  wakeups: "none",
  transactions: [],
  listing: "eventual",
};

/** A store that does not even say that has failed its cases. */
async function versionOf(subject: BackendUnderTest): Promise<string | undefined> {
  try {
    return await subject.version?.();
  } catch {
    return undefined;
  }
}

function suiteName(): string {
  const { name, version } = createRequire(import.meta.url)("../package.json") as { name: string; version: string };
  return `${name} ${version}`;
}
