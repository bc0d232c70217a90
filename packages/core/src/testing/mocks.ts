import type { AnyActivity } from "../define/activity.ts";
import type { ActivityContext } from "../define/activity-context.ts";
import { NonRetryableError, UsageError } from "../errors/index.ts";
import type { CodeCall } from "../worker/interceptor.ts";

/** One execution of a mock: one attempt of a call. */
export interface MockCall<Input = unknown, Output = unknown> {
  readonly runId: string;
  /** As the code gets it, that is through the input schema. */
  readonly input: Input;
  /** 1-based. */
  readonly attempt: number;
  /** The same for all attempts of one call, after a crash too. */
  readonly idempotencyKey: string;
  /** `running` for ever, if its worker crashed meanwhile. */
  readonly status: "running" | "returned" | "threw";
  /** What it returned, before the output schema. */
  readonly output?: Output;
  /** What it threw. */
  readonly error?: unknown;
}

/** A mocked activity, and what became of it. */
export interface Mock<Input = unknown, Output = unknown> {
  /** All executions, in the order of their beginning: each attempt is one. */
  readonly calls: readonly MockCall<Input, Output>[];
}

type Execute = (input: never, context: ActivityContext) => unknown;

/** What stands in for activities, by their name. */
export class Mocks {
  readonly #refusesOthers: boolean;
  readonly #mocks = new Map<string, { readonly execute: Execute; readonly calls: MockCall[] }>();

  constructor(unmocked: "run" | "throw") {
    this.#refusesOthers = unmocked === "throw";
  }

  set(activity: AnyActivity | string, execute: Execute): Mock {
    const name = nameOf(activity);
    if (typeof execute !== "function") {
      throw new UsageError(
        "invalid-argument",
        `The mock of activity "${name}" must be a function of its input and context. Pass one.`,
      );
    }
    const mock = { execute, calls: [] };
    this.#mocks.set(name, mock);
    return mock;
  }

  delete(activity: AnyActivity | string): void {
    this.#mocks.delete(nameOf(activity));
  }

  /** Runs the mock, or the activity's own code. */
  async execute({ input, context, execute }: CodeCall): Promise<unknown> {
    const { name, runId, attempt, idempotencyKey } = context;
    const mock = this.#mocks.get(name);
    if (mock === undefined) {
      if (this.#refusesOthers) throw notMocked(name, runId);
      return execute(input as never, context);
    }
    const call: { -readonly [Key in keyof MockCall]: MockCall[Key] } = {
      runId,
      input,
      attempt,
      idempotencyKey,
      status: "running",
    };
    mock.calls.push(call);
    try {
      call.output = await mock.execute(input as never, context);
      call.status = "returned";
      return call.output;
    } catch (error) {
      call.error = error;
      call.status = "threw";
      throw error;
    }
  }
}

/** The name by which an activity is known: its own, or what stands first in `ctx.run("name", …)`. */
export function nameOf(activity: AnyActivity | string): string {
  if (typeof activity === "string") return activity;
  if (activity?.kind === "activity") return activity.name;
  throw new UsageError(
    "invalid-argument",
    "An activity is named by its definition or by its name. Pass what activity(…) returned, or a text.",
  );
}

function notMocked(name: string, runId: string): NonRetryableError {
  return new NonRetryableError(
    `Run "${runId}" called activity "${name}", which is not mocked, and unmocked activities throw here. Mock it with env.mock("${name}", …).`,
  );
}
