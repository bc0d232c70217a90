import type { Codec } from "../codec/codec.ts";
import type { ActivityContext, ActivityOptions, AnyActivity } from "../define/activity.ts";
import { requireAttempts } from "../define/activity.ts";
import type { ChildOptions, WorkflowContext, WorkflowInfo } from "../define/context.ts";
import { requireName } from "../define/name.ts";
import type { AnySignal } from "../define/signal.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import { UsageError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { requireInstant } from "../errors/require-instant.ts";
import type { Duration } from "../model/duration.ts";
import { failureToError } from "../model/failure-to-error.ts";
import type { Failure } from "../model/failure.ts";
import type { Payload } from "../model/payload.ts";
import { toFailure } from "../model/to-failure.ts";
import { requireAttributes } from "../define/attributes.ts";
import type { Attributes } from "../model/run.ts";
import { startChild } from "./child-command.ts";
import { deprecatePatch, patched } from "./patch-command.ts";
import { shield } from "./shield.ts";
import type { Execution } from "./execution.ts";
import { replaySafeLogger } from "./replay-safe-logger.ts";
import { ReplayedRandom } from "./replayed-random.ts";
import { forCode, openPromise } from "./open-promise.ts";
import { send } from "./send-command.ts";

/** An input above this is recorded on its own, before the first attempt. */
const LARGE_INPUT_CHARACTERS = 64 * 1024;

/** Never changes: what the code has made of it is in histories. */
const SUGGESTED_LENGTH = 10_000;

type Execute = (context: ActivityContext) => unknown;

/** Makes what an execution's code sees. */
export function createContext(execution: Execution): WorkflowContext {
  const { run } = execution;
  const random = new ReplayedRandom(execution);
  const context: WorkflowContext = {
    runId: run.runId,
    info: infoOf(execution),
    logger: replaySafeLogger(execution),
    state: execution.state as WorkflowContext["state"],
    attributes: { set: (attributes: Attributes) => setAttributes(execution, attributes) },
    get cancelled() {
      return execution.cancelRequested !== null;
    },
    run: ((what: AnyActivity | string, input: unknown, options?: ActivityOptions) =>
      forCode(
        typeof what === "string"
          ? runInline(execution, what, input as Execute, options)
          : runActivity(execution, what, input, options),
      )) as WorkflowContext["run"],
    sleep: (time) => forCode(sleep(execution, time)),
    waitFor: (signal, options) => forCode(waitFor(execution, signal, options?.timeout)) as Promise<never>,
    signals: (signal) => {
      const next = async (): Promise<IteratorResult<never>> => ({
        done: false,
        value: (await waitFor(execution, signal)) as never,
      });
      return { [Symbol.asyncIterator]: () => ({ next: () => forCode(next()) }) };
    },
    child: ((definition: AnyWorkflow, input: unknown, options?: ChildOptions) =>
      startChild(execution, definition, input, options)) as WorkflowContext["child"],
    signal: (runId, signal, payload) => forCode(send(execution, { runId }, signal, payload)),
    continueAsNew: (input) => {
      execution.continueAsNew(input);
      return new Promise(() => {});
    },
    now: () => new Date(execution.now),
    random: () => random.next(),
    uuid: () => random.uuid(),
    sideEffect: (name, fn) => sideEffect(execution, name, fn),
    patched: (id) => patched(execution, id),
    deprecatePatch: (id) => deprecatePatch(execution, id),
    shield: (fn) => forCode(shield(fn, () => execution.owedCancel.shieldBegun())),
  };
  return context;
}

function infoOf(execution: Execution): WorkflowInfo {
  const { run, generation } = execution;
  return {
    workflow: run.workflow,
    version: run.version,
    queue: run.queue,
    priority: run.priority,
    startedAt: new Date(run.createdAt),
    deadlineAt: run.deadlineAt === null ? null : new Date(run.deadlineAt),
    parentRunId: run.parent?.runId ?? null,
    generation,
    get historyLength() {
      return execution.historyLength;
    },
    get continueAsNewSuggested() {
      return execution.historyLength >= SUGGESTED_LENGTH;
    },
  };
}

async function runActivity(
  execution: Execution,
  activity: AnyActivity,
  input: unknown,
  options?: ActivityOptions,
): Promise<unknown> {
  if (activity?.kind !== "activity") {
    throw new UsageError(
      "unknown-activity",
      `Run "${execution.run.runId}" called ctx.run with something that is no activity. Pass what activity(…) returned, or a name and a function.`,
    );
  }
  const attempts = options === undefined ? activity : requireAttempts(options, activity.name, activity);
  return schedule(execution, activity, execution.environment.codec.encode(input), attempts);
}

async function runInline(
  execution: Execution,
  name: string,
  execute: Execute,
  options?: ActivityOptions,
): Promise<unknown> {
  requireName(name, "activity");
  if (typeof execute !== "function") {
    throw new UsageError(
      "invalid-argument",
      `ctx.run("${name}", …) needs a function as its second argument. To call a defined activity, pass the activity itself instead of its name.`,
    );
  }
  const inline = {
    name,
    inputSchema: null,
    outputSchema: null,
    cache: null,
    queue: null,
    execute: (_: never, context: ActivityContext) => execute(context),
  };
  return schedule(execution, inline, null, requireAttempts(options ?? {}, name));
}

function schedule(
  execution: Execution,
  activity: Pick<AnyActivity, "name" | "inputSchema" | "outputSchema" | "execute" | "cache" | "queue">,
  input: string | null,
  attempts: ReturnType<typeof requireAttempts>,
): Promise<unknown> {
  const { name } = activity;
  const cancelled = execution.takeOwedCancel();
  const asked = execution.ask(
    ["ACTIVITY_SCHEDULED", "ACTIVITY_RETRYING", "ACTIVITY_COMPLETED", "ACTIVITY_FAILED"],
    name,
  );
  if (asked === null) return new Promise(() => {});
  if (cancelled !== null) return Promise.reject(cancelled);
  const { command } = asked;
  return openPromise((settler) => {
    execution.open.activities.set(command, {
      command,
      ...settler,
      name,
      inputSchema: activity.inputSchema,
      outputSchema: activity.outputSchema,
      execute: activity.execute,
      cache: activity.cache,
      attempts,
      input,
      queue: activity.queue,
      gate: execution.gate,
      attempt: 1,
      dueAt: 0,
      recorded: asked.recorded !== undefined,
      task: null,
    });
    if (asked.recorded !== undefined) return;
    if (!execution.executes(activity)) {
      // What history does not show as sent out may have been executed by others and cancelled: known when all is replayed.
      if (!execution.replaying) execution.activityDispatched(command);
    } else if (input !== null && input.length > LARGE_INPUT_CHARACTERS) {
      execution.activityScheduled(command);
    }
  });
}

async function sleep(execution: Execution, time: Duration | Date): Promise<void> {
  const until = time instanceof Date ? requireInstant(time, "the time of ctx.sleep") : null;
  const ms = until === null ? requireDuration(time as Duration, "ctx.sleep") : 0;
  const cancelled = execution.takeOwedCancel();
  const asked = execution.ask(["TIMER_STARTED"], "");
  if (asked === null) return new Promise(() => {});
  if (cancelled !== null) throw cancelled;
  const { command, recorded } = asked;
  const dueAt = recorded?.data.dueAt ?? until ?? execution.time() + ms;
  if (recorded === undefined) execution.record("TIMER_STARTED", command, { dueAt });
  await openPromise((settler) => execution.open.timers.set(command, { command, ...settler, dueAt }));
}

async function waitFor(execution: Execution, signal: AnySignal, timeout?: Duration): Promise<unknown> {
  if (signal?.kind !== "signal") {
    throw new UsageError(
      "invalid-argument",
      "ctx.waitFor and ctx.signals need a signal. Pass what signal(…) returned.",
    );
  }
  const timeoutMs =
    timeout === undefined ? null : requireDuration(timeout, `the time-out of the wait for "${signal.name}"`);
  const cancelled = execution.takeOwedCancel();
  const asked = execution.ask(["SIGNAL_AWAITED"], signal.name);
  if (asked === null) return new Promise(() => {});
  if (cancelled !== null) throw cancelled;
  const { command, recorded } = asked;
  if (recorded === undefined) {
    const buffered = execution.open.takeSignal(signal.name);
    if (buffered !== undefined) return buffered.payload;
  }
  const dueAt = recorded?.data.dueAt ?? (timeoutMs === null ? null : execution.time() + timeoutMs);
  if (recorded === undefined)
    execution.record("SIGNAL_AWAITED", command, { signal: signal.name, ...(dueAt !== null && { dueAt }) });
  return openPromise((settler) =>
    execution.open.waits.set(command, { command, ...settler, signal: signal.name, dueAt }),
  );
}

function sideEffect<T>(execution: Execution, name: string, fn: () => T): T {
  requireName(name, "side effect");
  const { codec } = execution.environment;
  const { command, recorded } = execution.askNow(["SIDE_EFFECT_RECORDED"], name);
  if (recorded === undefined) {
    const { value, failure } = outcomeOf(codec, fn);
    execution.record("SIDE_EFFECT_RECORDED", command, { name }, { value, failure });
    if (value !== undefined) return codec.decode(value) as T;
    throw failureToError(codec.decode(failure!) as Failure);
  }
  if (recorded.data.failure !== undefined) throw failureToError(recorded.data.failure);
  return recorded.data.value as T;
}

/** What it throws is an outcome like what it returns: a replay must not try again. */
function outcomeOf(codec: Codec, fn: () => unknown): { readonly value?: Payload; readonly failure?: Payload } {
  try {
    return { value: codec.encode(fn()) };
  } catch (error) {
    return { failure: codec.encode(toFailure(error)) };
  }
}

function setAttributes(execution: Execution, attributes: Attributes): void {
  const checked = requireAttributes(attributes);
  const asked = execution.askNow(["ATTRIBUTES_SET"], "");
  if (asked.recorded === undefined) execution.record("ATTRIBUTES_SET", asked.command, { attributes: checked });
  execution.mergeAttributes(checked, asked.recorded === undefined);
}
