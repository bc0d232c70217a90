import { UsageError } from "../errors/index.ts";
import type { WorkflowContext } from "./context.ts";
import { requireName } from "./require-name.ts";

/** A named phase of a stepped workflow. */
export interface Step<State = unknown, Input = unknown> {
  readonly kind: "step";
  readonly name: string;
  readonly run: (context: WorkflowContext<State>, input: Input) => unknown;
}

/** Any step, whatever its types. */
// oxlint-disable-next-line typescript/no-explicit-any -- a workflow holds steps of all types
export type AnyStep = Step<any, any>;

/** Makes the steps of one workflow: its context and its input are known. `Sent` is what its schema makes the input of. */
export type StepMaker<State, Input, Sent> = (
  name: string,
  run: (context: WorkflowContext<State, Sent>, input: Input) => unknown,
) => Step<State, Input>;

/** Makes the steps of one workflow that has no schema for its input: the code says what it takes. */
export type UntypedStepMaker<State> = <Input>(
  name: string,
  run: (context: WorkflowContext<State, Input>, input: Input) => unknown,
) => Step<State, Input>;

/**
 * Defines a step outside of its workflow; name the types of what it uses. (Inside, `steps: (step) => [step(…), …]` knows them.)
 * A step is workflow code like any other: what it returns is dropped, what it found out goes into the state.
 *
 * @throws UsageError `invalid-argument` for a bad name, or what is no function.
 * @example
 * const grade = step("grade", async (ctx: WorkflowContext<{ score: number }>, input: { answers: string[] }) => {
 *   ctx.state.set("score", await ctx.run("grade", async () => input.answers.length));
 * });
 */
export function step<State, Input>(
  name: string,
  run: (context: WorkflowContext<State>, input: Input) => unknown,
): Step<State, Input> {
  requireName(name, "name of a step");
  if (typeof run === "function") return { kind: "step", name, run };
  throw new UsageError("invalid-argument", `Step "${name}" needs a function. Pass its code as the second argument.`);
}

/**
 * The steps of a workflow, of which there is at least one.
 * @throws UsageError `invalid-argument` for what is no list of steps, an empty list, or a name that stands twice.
 */
export function requireSteps(workflow: string, given: unknown): readonly AnyStep[] {
  const steps: unknown = typeof given === "function" ? (given as (make: typeof step) => unknown)(step) : given;
  if (!Array.isArray(steps) || steps.length === 0) {
    throw new UsageError(
      "invalid-argument",
      `The steps of workflow "${workflow}" must be a list with at least one. Give steps: (step) => [step("name", async (ctx, input) => …)].`,
    );
  }
  const names = new Set<string>();
  for (const one of steps as readonly (AnyStep | undefined)[]) {
    if (one?.kind !== "step") {
      throw new UsageError(
        "invalid-argument",
        `Workflow "${workflow}" has something among its steps that is none. Make each with step("name", …).`,
      );
    }
    if (names.has(one.name)) {
      throw new UsageError(
        "invalid-argument",
        `Two steps of workflow "${workflow}" are named "${one.name}". Give each a name of its own.`,
      );
    }
    names.add(one.name);
  }
  return Object.freeze([...steps] as AnyStep[]);
}
