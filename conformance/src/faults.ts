import { setTimeout as sleep } from "node:timers/promises";
import { type StorageBackend, StorageError } from "@perdure/core/storage";
import { type Verb, wrapVerbs } from "./verbs.ts";

/**
 * What happens to one call.
 * - `fail-before`: it throws `unavailable`, and nothing was applied.
 * - `fail-after`: it throws `unavailable`, but it was applied: the reply was lost.
 * - `twice`: it is applied twice, as a network does that repeats a request; the second answer counts.
 * - a number: it is applied so many milliseconds later.
 */
export type FaultKind = "fail-before" | "fail-after" | "twice" | { readonly delayMs: number };

/** What happens to calls of one verb. */
export interface Fault {
  readonly verb: Verb;
  /** Which call of that verb, counted from 1 in this client; every one if absent. */
  readonly nth?: number;
  readonly fault: FaultKind;
}

/** Where several are meant for one call, the first in the plan happens. */
export type FaultPlan = readonly Fault[];

/** A client that suffers what its plan says. */
export type FaultyBackend = StorageBackend & {
  /** The faults that happened, in order. A test whose fault never happened proves nothing. */
  readonly happened: readonly { readonly verb: Verb; readonly nth: number; readonly fault: FaultKind }[];
};

/**
 * Decorates a client with faults.
 *
 * @example
 * const flaky = withFaults(backend, [{ verb: "commitTasks", nth: 1, fault: "fail-after" }]);
 */
export function withFaults(backend: StorageBackend, plan: FaultPlan): FaultyBackend {
  const calls = new Map<Verb, number>();
  const happened: { verb: Verb; nth: number; fault: FaultKind }[] = [];
  const faulty = wrapVerbs(backend, async (verb, _args, call) => {
    const nth = (calls.get(verb) ?? 0) + 1;
    calls.set(verb, nth);
    const fault = plan.find((planned) => planned.verb === verb && (planned.nth ?? nth) === nth)?.fault;
    if (fault === undefined) return call();
    happened.push({ verb, nth, fault });
    switch (fault) {
      case "fail-before":
        throw lost(verb, nth);
      case "fail-after":
        await call();
        throw lost(verb, nth);
      case "twice":
        await call();
        return call();
      default:
        await sleep(fault.delayMs);
        return call();
    }
  });
  return Object.assign(faulty, { happened });
}

function lost(verb: Verb, nth: number): StorageError {
  return new StorageError("unavailable", `No answer to call ${nth} of ${verb}: an injected fault. Repeat the call.`);
}
