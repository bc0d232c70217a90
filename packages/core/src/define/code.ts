import { UsageError } from "../errors/index.ts";
import { requireFunction } from "../errors/require-function.ts";
import { requireSchema } from "../errors/require-schema.ts";
import type { Schema } from "../model/schema.ts";
import type { WorkflowContext } from "./context.ts";
import { type AnyStep, requireSteps } from "./step.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- of a workflow with any state
type Run = (context: WorkflowContext<any>, input: never) => unknown;

/** What is done when a workflow runs: its steps, then the function that makes its output. */
interface Code {
  readonly steps: readonly AnyStep[];
  readonly run: Run;
  readonly outputSchema: Schema | null;
}

/**
 * The code of a workflow that was given as a function or as steps.
 * @throws UsageError `invalid-argument` for both, for neither, and for steps that cannot stand.
 */
export function codeOf(
  {
    name,
    steps,
    output,
  }: { readonly name: string; readonly steps?: unknown; readonly output?: Run | Schema | undefined },
  run: Run | undefined,
): Code {
  if ((steps === undefined) === (run === undefined)) {
    throw new UsageError(
      "invalid-argument",
      `Workflow "${name}" has ${run === undefined ? "no code" : "both steps and a function"}. Give it either steps or a function.`,
    );
  }
  if (run !== undefined) {
    return {
      steps: [],
      run: requireFunction(run, `code of workflow "${name}"`),
      outputSchema: requireSchema(output as Schema | undefined, `output of workflow "${name}"`),
    };
  }
  // The schemas of some libraries are functions too.
  if (output !== undefined && (typeof output !== "function" || "~standard" in output)) {
    throw new UsageError(
      "invalid-argument",
      `Workflow "${name}" has steps, so its output must be a function. Give output: (ctx) => …, or the state a schema.`,
    );
  }
  return { steps: requireSteps(name, steps), run: output ?? finalState, outputSchema: null };
}

function finalState(context: WorkflowContext): unknown {
  return context.state.snapshot();
}
