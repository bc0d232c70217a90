import type { Capabilities } from "@perdure/core/storage";
import { type ConformanceCase, twinOf } from "./case.ts";
import { CaseContext } from "./context.ts";
import { ConformanceFailure } from "./failure.ts";
import { explain } from "./explain.ts";
import { Random } from "./random.ts";
import type { CaseReport } from "./report.ts";
import { unmet } from "./requirement.ts";
import type { BackendUnderTest } from "./subject.ts";

export interface RunCaseOptions {
  readonly seed: number;
  /** Cases that do not say otherwise have so long; 30 s by default. */
  readonly timeoutMs?: number;
  /** The large numbers; `false` by default. */
  readonly full?: boolean;
  /** Workers that the kill -9 lab kills; by default 300, or 1,000 of the large numbers. */
  readonly kills?: number;
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

let namespaces = 0;

/** A name that no earlier run of the suite has used: stores may outlive a process. */
function freshNamespace(): string {
  namespaces += 1;
  return `pc${Date.now().toString(36)}p${process.pid.toString(36)}n${namespaces}`;
}

/** Runs one case over one subject, in a namespace of its own. Never throws. */
export async function runCase(
  subject: BackendUnderTest,
  subjectCase: ConformanceCase,
  { seed, timeoutMs = 30_000, full = false, kills = full ? 1_000 : 300 }: RunCaseOptions,
): Promise<CaseOutcome> {
  const { id, level, invariants, requires = [], guards = [] } = subjectCase;
  const random = new Random(seed, id);
  const t = new CaseContext({ subject, namespace: freshNamespace(), random, full, kills });
  for (const name of guards) t.guards.set(name, 0);
  const began = performance.now();
  let capabilities: Capabilities | undefined;
  let missing: string | undefined;
  let failure: { readonly error: unknown } | undefined;
  try {
    await within(subjectCase.timeoutMs ?? timeoutMs, async () => {
      await t.start();
      capabilities = t.info.capabilities;
      missing = unmet(requires, subject, t.info);
      if (missing === undefined) await subjectCase.run(t);
    });
  } catch (error) {
    failure = { error };
  }
  const journal = failure && t.journal.print();
  try {
    await within(timeoutMs, () => t.end());
  } catch (error) {
    failure ??= { error };
  }
  const ms = Math.round(performance.now() - began);
  const counts = Object.fromEntries(t.counts);
  const base = { id, level, invariants, ms, ...(t.counts.size > 0 && { counts }) };
  if (failure !== undefined) {
    const message = explain(subjectCase, failure.error, { backend: subject.name, seed, calls: journal });
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

async function within(ms: number, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConformanceFailure(`the case ends within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
