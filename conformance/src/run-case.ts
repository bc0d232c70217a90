import type { Capabilities } from "@perdure/core/storage";
import { again } from "./again.ts";
import { check } from "./assert.ts";
import { type ConformanceCase, twinOf } from "./case.ts";
import type { Chances } from "./chances.ts";
import { CaseContext } from "./context.ts";
import { explain } from "./explain.ts";
import { ConformanceFailure } from "./failure.ts";
import { Random } from "./random.ts";
import type { CaseReport } from "./report.ts";
import { unmet } from "./requirement.ts";
import { type Strikes, strikesOf } from "./strikes.ts";
import type { BackendUnderTest } from "./subject.ts";
import { within } from "./within.ts";

export interface RunCaseOptions extends Partial<Strikes>, Chances {
  readonly seed: number;
  /** Cases that do not say otherwise have so long; 30 s by default. */
  readonly timeoutMs?: number;
  /** The large numbers; `false` by default. */
  readonly full?: boolean;
  /** Ends the case from outside: it fails with the signal's reason, and what it has opened is closed. */
  readonly signal?: AbortSignal;
  /** How the command finds the backend, if not by the subject's name. */
  readonly word?: string;
}

export interface CaseOutcome {
  readonly report: CaseReport;
  /** What the case's guards counted, each declared one included. */
  readonly guards: ReadonlyMap<string, number>;
  readonly capabilities: Capabilities | undefined;
  /** The case that must run instead, when this one is not applicable. */
  readonly twin: ConformanceCase | undefined;
  readonly error?: unknown;
}

const TIMEOUT_MS = 30_000;
/** What a nemesis adds to it each time that it strikes. */
const STRIKE_MS = 3_000;

let namespaces = 0;

/** A name that no earlier run of the suite has used: stores may outlive a process. */
function freshNamespace(): string {
  namespaces += 1;
  return `pc${Date.now().toString(36)}p${process.pid.toString(36)}n${namespaces}`;
}

/** How long a case has, in milliseconds. */
export function limitOf({ timeoutMs, nemesis }: ConformanceCase, options: Omit<RunCaseOptions, "seed">): number {
  const strikes = nemesis === undefined ? 0 : strikesOf(options, options.full ?? false)[nemesis];
  return (timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS) + strikes * STRIKE_MS;
}

/** Runs one case over one subject, in a namespace of its own. Never throws. */
export async function runCase(
  subject: BackendUnderTest,
  subjectCase: ConformanceCase,
  options: RunCaseOptions,
): Promise<CaseOutcome> {
  const { seed, timeoutMs = TIMEOUT_MS, full = false, signal } = options;
  const { id, level, invariants, requires = [], guards = [], nemesis } = subjectCase;
  const random = new Random(seed, id);
  const strikes = strikesOf(options, full);
  const t = new CaseContext({ subject, namespace: freshNamespace(), random, full, strikes, chances: options, seed });
  for (const name of guards) t.guards.set(name, 0);
  const began = performance.now();
  let capabilities: Capabilities | undefined;
  let missing: string | undefined;
  let failure: { readonly error: unknown } | undefined;
  try {
    const work = async (): Promise<void> => {
      await t.start();
      capabilities = t.info.capabilities;
      missing = unmet(requires, subject, t.info);
      if (missing !== undefined) return;
      await subjectCase.run(t);
      const struck = nemesis === undefined || (t.counts.get(nemesis) ?? 0) > 0;
      check(struck, `the case counts ${nemesis}: a nemesis that never fired proves nothing`);
    };
    await within(limitOf(subjectCase, options), "the case ends", work, signal);
  } catch (error) {
    failure = { error };
  }
  let calls = failure && t.journal.print();
  try {
    await within(timeoutMs, "every client is closed and its namespace destroyed", () => t.end());
    signal?.throwIfAborted();
  } catch (error) {
    failure ??= { error };
    calls ??= t.journal.print();
  }
  const ms = Math.round(performance.now() - began);
  const counts = Object.fromEntries(t.counts);
  const base = { id, level, invariants, ms, ...(t.counts.size > 0 && { counts }) };
  if (failure !== undefined) {
    const how = failure.error instanceof ConformanceFailure ? failure.error.again : undefined;
    const message = explain(subjectCase, failure.error, { again: again(subjectCase, subject, options, how), calls });
    return {
      report: { ...base, status: "failed", message },
      guards: t.guards,
      capabilities,
      twin: undefined,
      ...failure,
    };
  }
  if (missing !== undefined) {
    const message = `Not applicable: ${missing}.`;
    const twin = twinOf(subjectCase);
    return { report: { ...base, status: "not-applicable", message }, guards: new Map(), capabilities, twin };
  }
  return { report: { ...base, status: "passed" }, guards: t.guards, capabilities, twin: undefined };
}
