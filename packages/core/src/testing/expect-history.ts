import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import type { AnyActivity } from "../define/activity.ts";
import type { AnySignal } from "../define/signal.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import { requireDuration } from "../errors/require-duration.ts";
import type { Duration } from "../model/duration.ts";
import type { EventType, WorkflowEvent } from "../model/event.ts";
import type { Failure } from "../model/failure.ts";
import type { RunStatus } from "../model/run.ts";
import type { RunHistory } from "./run-history.ts";

/** What must be true of a call; what is absent may be anything. */
export interface ExpectedActivity {
  readonly input?: unknown;
  readonly output?: unknown;
  readonly attempts?: number;
  readonly status?: "open" | "completed" | "failed";
}

/** How often, exactly. Default: at least once. */
export interface Times {
  readonly times?: number;
}

/** How the run must have ended; what is absent may be anything. */
export interface ExpectedEnd {
  readonly output?: unknown;
  readonly failure?: Partial<Pick<Failure, "name" | "message" | "code">>;
}

/** Something that happens at one moment: an activity ends, a signal is received, a child is asked for, an event is recorded. */
export type Moment = AnyActivity | AnySignal | AnyWorkflow | EventType;

/**
 * Assertions on a history. Each answers the same object, and throws an AssertionError with what differs and the timeline. Values
 * are compared as `assert.deepStrictEqual` does; for other comparisons use what {@link RunHistory} answers.
 */
export interface HistoryExpectation {
  ran(activity: AnyActivity | string, expected?: ExpectedActivity & Times): HistoryExpectation;
  neverRan(activity: AnyActivity | string): HistoryExpectation;
  received(signal: AnySignal | string, expected?: { readonly payload?: unknown } & Times): HistoryExpectation;
  /** A sleep of this length is over. */
  slept(time: Duration, expected?: Times): HistoryExpectation;
  /** These happened one after the other; other things may have happened in between. */
  inOrder(...moments: readonly Moment[]): HistoryExpectation;
  ended(status: Exclude<RunStatus, "open">, expected?: ExpectedEnd): HistoryExpectation;
  isOpen(): HistoryExpectation;
}

/**
 * Asserts what happened in a run, in any test framework.
 *
 * @example
 * expectHistory(await env.history(run))
 *   .ran(charge, { times: 1, input: { orderId: "o-1" }, attempts: 3 })
 *   .neverRan(refund)
 *   .slept("1d")
 *   .inOrder(charge, approved, ship)
 *   .ended("completed", { output: "shipped" });
 */
export function expectHistory(history: RunHistory): HistoryExpectation {
  return new Expectation(history);
}

class Expectation implements HistoryExpectation {
  readonly #history: RunHistory;

  constructor(history: RunHistory) {
    this.#history = history;
  }

  ran(activity: AnyActivity | string, { times, ...expected }: ExpectedActivity & Times = {}): this {
    return this.#find(`ran activity ${nameOf(activity)}`, this.#history.activities(activity), expected, times);
  }

  neverRan(activity: AnyActivity | string): this {
    return this.#find(`ran activity ${nameOf(activity)}`, this.#history.activities(activity), {}, 0);
  }

  received(signal: AnySignal | string, { times, ...expected }: { readonly payload?: unknown } & Times = {}): this {
    return this.#find(`received signal ${nameOf(signal)}`, this.#history.signals(signal), expected, times);
  }

  slept(time: Duration, { times }: Times = {}): this {
    const expected = { ms: requireDuration(time, "time of slept"), status: "fired" };
    return this.#find(`slept for ${time}`, this.#history.timers(), expected, times);
  }

  inOrder(...moments: readonly Moment[]): this {
    const happened: string[] = [];
    let met = 0;
    for (const event of this.#history.events) {
      const moment = moments.find((wanted) => isMoment(wanted, event));
      if (moment !== undefined) happened.push(nameOf(moment));
      if (met < moments.length && isMoment(moments[met]!, event)) met++;
    }
    if (met === moments.length) return this;
    const wanted = moments.map(nameOf);
    const after = met === 0 ? "" : ` after ${wanted.slice(0, met).join(", ")}`;
    return this.#fail(`has no ${wanted[met]}${after}`, happened, wanted);
  }

  ended(status: Exclude<RunStatus, "open">, expected: ExpectedEnd = {}): this {
    const { output, failure } = this.#history;
    const actual = {
      status: this.#history.status,
      ...("output" in expected && { output }),
      ...(expected.failure !== undefined && { failure: pick(failure ?? {}, expected.failure) }),
    };
    const wanted = { status, ...expected };
    if (isDeepStrictEqual(actual, wanted)) return this;
    return this.#fail(`did not end ${status} as expected`, actual, wanted);
  }

  isOpen(): this {
    const { status } = this.#history;
    return status === "open" ? this : this.#fail("is not open", status, "open");
  }

  #find(what: string, records: readonly object[], expected: object, times: number | undefined): this {
    const found = records.filter((record) => isDeepStrictEqual(pick(record, expected), expected)).length;
    if (times === undefined ? found > 0 : found === times) return this;
    const wanted = `${times === undefined ? "at least once" : count(times)}${Object.keys(expected).length === 0 ? "" : " as expected"}`;
    return this.#fail(
      `${what} ${count(found)}, not ${wanted}`,
      records.map((record) => pick(record, expected)),
      Array.from({ length: times ?? 1 }, () => expected),
    );
  }

  #fail(what: string, actual: unknown, expected: unknown): never {
    const { runId, workflow } = this.#history;
    throw new AssertionError({
      message: `Run "${runId}" of workflow "${workflow}" ${what}.\n\n${this.#history.timeline()}\n`,
      actual,
      expected,
      operator: "deepStrictEqual",
    });
  }
}

function nameOf(moment: { readonly name: string } | string): string {
  return typeof moment === "string" ? moment : moment.name;
}

function isMoment(moment: Moment, event: WorkflowEvent): boolean {
  if (typeof moment === "string") return event.type === moment;
  switch (moment.kind) {
    case "activity":
      return (
        (event.type === "ACTIVITY_COMPLETED" || event.type === "ACTIVITY_FAILED") && event.data.activity === moment.name
      );
    case "signal":
      return event.type === "SIGNAL_RECEIVED" && event.data.signal === moment.name;
    case "workflow":
      return event.type === "CHILD_SCHEDULED" && event.data.workflow === moment.name;
  }
}

/** The properties of `value` that `like` has. */
function pick(value: object, like: object): object {
  const entries = Object.entries(value).filter(([key]) => key in like);
  return Object.fromEntries(entries);
}

function count(times: number): string {
  return times === 0 ? "never" : times === 1 ? "once" : `${times} times`;
}
