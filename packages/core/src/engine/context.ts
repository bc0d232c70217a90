import type { ActivityOptions, AnyActivity } from "../define/activity.ts";
import type { ChildOptions, WorkflowContext, WorkflowInfo } from "../define/context.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import type { Attributes } from "../model/run.ts";
import { type Execute, runActivity, runInline } from "./activity-command.ts";
import { setAttributes } from "./attributes-command.ts";
import { startChild } from "./child-command.ts";
import type { Execution } from "./execution.ts";
import { forCode } from "./open-promise.ts";
import { deprecatePatch, patched } from "./patch-command.ts";
import { replaySafeLogger } from "./replay-safe-logger.ts";
import { ReplayedRandom } from "./replayed-random.ts";
import { send } from "./send-command.ts";
import { shield } from "./shield.ts";
import { sideEffect } from "./side-effect-command.ts";
import { sleep } from "./timer-command.ts";
import { waitFor } from "./wait-command.ts";

/** Never changes: what the code has made of it is in histories. */
const SUGGESTED_LENGTH = 10_000;

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
    waitFor: (signal, options) => forCode(waitFor(execution, signal, options)) as Promise<never>,
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
