import { UsageError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { validateNow } from "../errors/validate.ts";
import type { Duration } from "../model/duration.ts";
import type { InferInput, InferOutput, Schema } from "../model/schema.ts";
import type { WorkflowContext } from "./context.ts";
import type { Definition } from "./definition.ts";
import { requireName } from "./name.ts";

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
  readonly run: (context: WorkflowContext<State>, input: never) => PromiseLike<unknown>;
}

/** Any workflow, whatever its types. */
// oxlint-disable-next-line typescript/no-explicit-any -- a registry holds workflows of all types
export type AnyWorkflow = Workflow<any, any, any>;

type Body<Context, Input, Output> = (context: Context, input: Input) => PromiseLike<Output>;

/**
 * Defines a workflow: a plain async function that may be interrupted at any `await` and goes on there, on any worker, after
 * any crash. Between its commands it must be deterministic: time, randomness and effects come from the context.
 *
 * @throws UsageError `invalid-argument` for a bad name, time-out or queue.
 * @example
 * const greet = workflow({ name: "greet" }, async (ctx, name: string) => {
 *   await ctx.sleep("1s");
 *   return `Hello, ${name}`;
 * });
 */
export function workflow<In extends Schema, Output, State = Record<string, never>>(
  options: WorkflowOptions<State> & { readonly input: In; readonly output?: Schema<unknown, Output> },
  run: Body<WorkflowContext<State>, InferOutput<In>, Output>,
): Workflow<InferInput<In>, Output, State>;
export function workflow<Input, Output, State = Record<string, never>>(
  options: WorkflowOptions<State> & { readonly output?: Schema<unknown, Output> },
  run: Body<WorkflowContext<State>, Input, Output>,
): Workflow<Input, Output, State>;
export function workflow(
  options: WorkflowOptions<unknown> & { readonly input?: Schema; readonly output?: Schema },
  run: Body<never, never, unknown>,
): AnyWorkflow {
  const { state } = options;
  const checkState = stateCheck(options.name, state?.schema);
  return {
    kind: "workflow",
    name: requireName(options.name, "workflow"),
    version: options.version ?? null,
    description: options.description ?? null,
    inputSchema: options.input ?? null,
    outputSchema: options.output ?? null,
    initialState: state === undefined ? null : initialState(options.name, state.initial, checkState),
    checkState,
    timeoutMs:
      options.timeout === undefined ? null : requireDuration(options.timeout, `timeout of workflow "${options.name}"`),
    queue: options.queue === undefined ? "default" : requireName(options.queue, "queue"),
    run: run as AnyWorkflow["run"],
  };
}

function stateCheck(name: string, schema: Schema | undefined): ((state: unknown) => void) | null {
  return schema === undefined ? null : (state) => void validateNow(schema, state, `state of workflow "${name}"`);
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
