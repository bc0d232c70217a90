import fc from "fast-check";
import type { Fault } from "../faults.ts";
import { callsOn, orNull } from "./arbitrary.ts";
import type { CallOperation } from "./operation.ts";

export type ConcurrentRun = "a" | "b";

/** One call of a client, after so many turns of the event loop. */
interface ScriptStep {
  readonly run: ConcurrentRun;
  readonly operation: CallOperation;
  readonly turns: number;
}

/** What one client does, one step after the other; one of its calls may fail, before or after it was applied. */
export interface Script {
  readonly steps: readonly ScriptStep[];
  readonly fault: Fault | null;
}

const step: fc.Arbitrary<ScriptStep> = fc
  .constantFrom<ConcurrentRun[]>("a", "a", "b")
  .chain((run) => fc.record({ run: fc.constant(run), operation: callsOn(run), turns: fc.constantFrom(0, 0, 1, 2) }));

const fault: fc.Arbitrary<Fault> = fc.record({
  verb: fc.constantFrom("commitTasks", "claimTasks", "deliver", "createRuns", "renewLeases", "purgeRuns"),
  nth: fc.constantFrom(1, 2),
  fault: fc.constantFrom("fail-after", "fail-before"),
});

/** Three clients. */
export const scripts: fc.Arbitrary<readonly Script[]> = fc.array(
  fc.record({ steps: fc.array(step, { minLength: 3, maxLength: 8, size: "max" }), fault: orNull(fault) }),
  { minLength: 3, maxLength: 3 },
);
