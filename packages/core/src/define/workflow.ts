import { UsageError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { requireOptions } from "../errors/require-options.ts";
import { requireSchema } from "../errors/require-schema.ts";
import { validateNow } from "../errors/validate.ts";
import type { Duration } from "../model/duration.ts";
import type { InferInput, InferOutput, Schema } from "../model/schema.ts";
import { codeOf } from "./code.ts";
import type { WorkflowContext } from "./context.ts";
import type { Definition } from "./definition.ts";
import { graphOf, type WorkflowGraph } from "./graph.ts";
import { requireName } from "./require-name.ts";
import { type AnyStep, type Step, type StepMaker, type UntypedStepMaker } from "./step.ts";

/** What every workflow may say about itself. */
export interface WorkflowOptions<State> {
  /** Identifies the workflow in storage; must not change while runs of it are open. */
  readonly name: string;
  /** Recorded with each run. */
  readonly version?: string;
  readonly description?: string;
  /**
   * The run's state object; `initial` may be computed from the input, and must then be a pure function. A schema checks the state
   * after every change, and answers at once; what it converts does not count.
   */
  readonly state?: {
    readonly schema?: Schema<unknown, State>;
    readonly initial: State | ((input: never) => State);
  };
  /** The run fails with code `timed-out` when it is not over by then, counted from its start. */
  readonly timeout?: Duration;
  /** Queue of its runs, unless `start` names another. Default `default`. */
  readonly queue?: string;
}

/** A workflow: a definition and the code that runs under it. */
export interface Workflow<Input, Output, State = unknown> extends Definition<Input, Output> {
  readonly initialState: ((input: unknown) => State) | null;
  readonly checkState: ((state: unknown) => void) | null;
  /** What is done before `run`, in this order; empty for a workflow without steps. */
  readonly steps: readonly AnyStep[];
  readonly run: (context: WorkflowContext<State>, input: never) => unknown;
  /** What its definition says about its course, for documents and tools: see `toMermaid` and `toDot`. */
  graph(): WorkflowGraph;
}

/** Any workflow, whatever its types. */
// oxlint-disable-next-line typescript/no-explicit-any -- a registry holds workflows of all types
export type AnyWorkflow = Workflow<any, any, any>;

const OPTIONS = {
  name: true,
  version: true,
  description: true,
  input: true,
  output: true,
  state: true,
  steps: true,
  timeout: true,
  queue: true,
} as const;

type Body<Context, Input, Output> = (context: Context, input: Input) => PromiseLike<Output>;

/** What the run answers after its last step. */
type StepOutput<State, Input, Output> = (
  context: WorkflowContext<NoInfer<State>>,
  input: NoInfer<Input>,
) => Output | Promise<Output>;

/**
 * Defines a workflow: a plain async function that may be interrupted at any `await` and goes on there, on any worker, after
 * any crash. Between its commands it must be deterministic: time, randomness and effects come from the context.
 *
 * Or, without a function, a list of named steps: they run one after the other, share the run's state, and the state is the result,
 * unless `output` makes another of it. Where a run is shows in its history and in `describe().currentStep`. The steps of open runs
 * must keep their names and their order.
 *
 * @throws UsageError `invalid-argument` for a bad or unknown option, for steps without a name of their own, and for steps together
 * with a function.
 * @example
 * const greet = workflow({ name: "greet" }, async (ctx, name: string) => {
 *   await ctx.sleep("1s");
 *   return `Hello, ${name}`;
 * });
 * @example
 * const assessment = workflow({
 *   name: "assessment",
 *   input: z.object({ topic: z.string() }),
 *   state: { initial: { questions: [] as string[], score: 0 } },
 *   steps: (step) => [
 *     step("generate-quiz", async (ctx, { topic }) => ctx.state.set("questions", await ctx.run(generate, topic))),
 *     step("grade", async (ctx) => ctx.state.set("score", await ctx.run(grade, ctx.state.get("questions")))),
 *   ],
 *   output: (ctx) => ctx.state.get("score"),
 * });
 */
export function workflow<In extends Schema, Output, State = Record<string, never>>(
  options: WorkflowOptions<State> & { readonly input: In; readonly output?: Schema<unknown, Output> },
  run: Body<WorkflowContext<State, InferInput<In>>, InferOutput<In>, Output>,
): Workflow<InferInput<In>, Output, State>;
export function workflow<Input, Output, State = Record<string, never>>(
  options: WorkflowOptions<State> & { readonly output?: Schema<unknown, Output> },
  run: Body<WorkflowContext<State, Input>, Input, Output>,
): Workflow<Input, Output, State>;
export function workflow<In extends Schema, State = Record<string, never>, Output = State>(
  options: WorkflowOptions<State> & {
    readonly input: In;
    readonly steps:
      | readonly Step<NoInfer<State>, InferOutput<In>>[]
      | ((step: StepMaker<State, InferOutput<In>, InferInput<In>>) => readonly Step<NoInfer<State>, InferOutput<In>>[]);
    readonly output?: StepOutput<State, InferOutput<In>, Output>;
  },
): Workflow<InferInput<In>, Output, State>;
export function workflow<Input, State = Record<string, never>, Output = State>(
  options: WorkflowOptions<State> & {
    readonly steps:
      | readonly Step<NoInfer<State>, Input>[]
      | ((step: UntypedStepMaker<State>) => readonly Step<NoInfer<State>, Input>[]);
    readonly output?: StepOutput<State, Input, Output>;
  },
): Workflow<Input, Output, State>;
export function workflow(
  options: WorkflowOptions<unknown> & {
    readonly input?: Schema;
    readonly output?: Schema | StepOutput<unknown, unknown, unknown>;
    readonly steps?: unknown;
  },
  run?: AnyWorkflow["run"],
): AnyWorkflow {
  requireOptions(options, "workflow", OPTIONS);
  const { state } = options;
  const name = requireName(options.name, "name of a workflow");
  const { steps, ...code } = codeOf(options, run);
  if (state !== undefined) requireOptions(state, `state of workflow "${name}"`, { initial: true, schema: true });
  const checkState = stateCheck(name, state?.schema);
  return {
    kind: "workflow",
    name,
    version: options.version === undefined ? null : requireName(options.version, `version of workflow "${name}"`),
    description: options.description ?? null,
    inputSchema: requireSchema(options.input, `input of workflow "${name}"`),
    outputSchema: code.outputSchema,
    initialState: state === undefined ? null : initialState(name, state.initial, checkState),
    checkState,
    timeoutMs: options.timeout === undefined ? null : requireDuration(options.timeout, `timeout of workflow "${name}"`),
    queue: options.queue === undefined ? "default" : requireName(options.queue, `queue of workflow "${name}"`),
    steps,
    run: code.run,
    graph: () => graphOf(steps),
  };
}

function stateCheck(name: string, schema: Schema | undefined): ((state: unknown) => void) | null {
  const what = `state of workflow "${name}"`;
  requireSchema(schema, `schema of the ${what}`);
  return schema === undefined ? null : (state) => void validateNow(schema, state, what);
}

function initialState(
  name: string,
  initial: unknown,
  check: ((state: unknown) => void) | null,
): (input: unknown) => unknown {
  return (input) => {
    const state = requireFields(
      name,
      typeof initial === "function" ? (initial as (input: unknown) => unknown)(input) : initial,
    );
    check?.(state);
    return state;
  };
}

function requireFields(name: string, state: unknown): unknown {
  if (typeof state === "object" && state !== null && !Array.isArray(state)) return state;
  throw new UsageError(
    "invalid-argument",
    `The initial state of workflow "${name}" must be an object. Put the value into a field of one.`,
  );
}
