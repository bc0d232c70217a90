import { createRequire } from "node:module";
import type { Capabilities } from "@perdure/core/storage";
import type { ConformanceCase } from "./case.ts";
import { CASES } from "./cases/index.ts";
import type { Chances } from "./chances.ts";
import { type Level, LEVELS } from "./level.ts";
import { Interruptions } from "./interruptions.ts";
import { print, printError } from "./print.ts";
import type { CaseReport, ConformanceReport } from "./report.ts";
import { type CaseOutcome, runCase } from "./run-case.ts";
import type { Strikes } from "./strikes.ts";
import type { BackendUnderTest } from "./subject.ts";
import { within } from "./within.ts";

/** Which cases are run, how they play, and who is told. */
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
  /** Cases that do not say otherwise have so long; 30 s by default. */
  readonly timeoutMs?: number;
  /** The large numbers. */
  readonly full?: boolean;
  /** Other cases than the suite's own. */
  readonly cases?: readonly ConformanceCase[];
  /** How the command finds the backend, if not by the subject's name; failures tell how to run their case again. */
  readonly word?: string;
  /** Ends the run: what is open is closed, and the signal's reason thrown. */
  readonly signal?: AbortSignal;
  /** Is told of each case as it begins. */
  readonly onBegin?: (id: string) => void;
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

/** What to say where these options select no case: a suite that tests nothing must not look like one that passes. */
export function nothingSelected({ levels = LEVELS, grep = "" }: RunOptions): Error {
  const names = "`perdure-conformance promises` names them all.";
  return new Error(`No case of ${levels.join(", ")} has ${grep} in its id. ${names}`);
}

/**
 * Runs the suite over one backend. Never throws for what the backend does: that is in the report, also errors that it leaves to nobody.
 * A guard that a finished case declared and that never fired stands in the report with 0, and is no pass. {@link isPass} judges a report.
 * @throws the reason of `signal`, once it is aborted and what was open is closed
 */
export async function runConformance(subject: BackendUnderTest, options: RunOptions = {}): Promise<ConformanceReport> {
  const { seed = 1, bail = false, jobs = bail ? 1 : 4, signal, onBegin, onCase } = options;
  const selected = selectCases(options);
  const order = new Map(selected.map(({ id }, index) => [id as string, index]));
  const reports: CaseReport[] = [];
  const guards: Record<string, number> = {};
  let capabilities: Capabilities | undefined;
  const problems: string[] = [];
  const interruptions = new Interruptions(signal);
  let stopped = false;

  function note(outcome: CaseOutcome): void {
    capabilities ??= outcome.capabilities;
    reports.push(outcome.report);
    if (outcome.report.status === "failed") stopped ||= bail;
    else for (const [name, count] of outcome.guards) guards[name] = (guards[name] ?? 0) + count;
    onCase?.(outcome.report);
  }

  async function run(one: ConformanceCase): Promise<CaseOutcome> {
    onBegin?.(one.id);
    const outcome = await interruptions.during((own) => runCase(subject, one, { ...options, seed, signal: own }));
    signal?.throwIfAborted();
    note(outcome);
    return outcome;
  }

  async function work(queue: ConformanceCase[]): Promise<void> {
    for (let next = queue.shift(); next !== undefined && !stopped; next = queue.shift()) {
      const { twin } = await run(next);
      if (twin !== undefined) {
        order.set(twin.id, order.get(next.id)! + 0.5);
        await run(twin);
      }
    }
  }

  async function runAll(): Promise<void> {
    await work(selected.filter(isAlone));
    const others = selected.filter((one) => !isAlone(one));
    await Promise.all(Array.from({ length: jobs }, () => work(others)));
  }

  async function end(): Promise<void> {
    try {
      await within(LAST_MS, "`end` of the subject is over", () => subject.end?.());
    } catch (error) {
      problems.push(`\`end\` of the subject fails: ${printError(error)}`);
    }
    interruptions.close();
    problems.push(...interruptions.unheard);
  }

  const beganAt = performance.now();
  let store: string | undefined;
  try {
    await runAll();
    store = await versionOf(subject);
  } finally {
    await end();
  }
  return {
    schema: 1,
    suite: SUITE,
    backend: subject.name,
    ...(store !== undefined && { store }),
    runtime: `node ${process.version} ${process.platform}-${process.arch}`,
    capabilities: capabilities ?? UNKNOWN,
    seed,
    ms: Math.round(performance.now() - beganAt),
    ...(selected.length < (options.cases ?? CASES).length && { partial: true as const }),
    cases: reports.toSorted((a, b) => order.get(a.id)! - order.get(b.id)!),
    guards,
    ...(problems.length > 0 && { problems }),
  };
}

/** So long a subject has for what belongs to no case. */
const LAST_MS = 30_000;

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
  let version: unknown;
  try {
    await within(LAST_MS, "the version is told", async () => void (version = await subject.version?.()));
  } catch {
    return undefined;
  }
  if (version === undefined) return undefined;
  return typeof version === "string" ? version : print(version);
}

function suiteName(): string {
  const { name, version } = createRequire(import.meta.url)("../package.json") as { name: string; version: string };
  return `${name} ${version}`;
}
