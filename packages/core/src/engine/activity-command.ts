import { encodeAs } from "../codec/encode-as.ts";
import {
  type ActivityOptions,
  type AnyActivity,
  type AttemptSettings,
  CALL_OPTIONS,
  requireAttemptSettings,
} from "../define/activity.ts";
import type { ActivityContext } from "../define/activity-context.ts";
import { requireName } from "../define/require-name.ts";
import { UsageError } from "../errors/index.ts";
import { requireOptions } from "../errors/require-options.ts";
import { activityDispatched, activityScheduled, isExecutedHere } from "./activity-events.ts";
import type { Execution } from "./execution.ts";
import { openPromise } from "./open-promise.ts";

/** An input above this is recorded on its own, before the first attempt. */
const LARGE_INPUT_CHARACTERS = 64 * 1024;

/** The function of an activity that is defined where it is called. */
export type Execute = (context: ActivityContext) => unknown;

/** Calls a defined activity. */
export async function runActivity(
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
  if (options !== undefined) requireOptions(options, `ctx.run of activity "${activity.name}"`, CALL_OPTIONS);
  const settings = options === undefined ? activity : requireAttemptSettings(options, activity.name, activity);
  const { codec } = execution.environment;
  return schedule(execution, activity, encodeAs(codec, input, "input of activity", activity.name), settings);
}

/** Calls a function as an activity of this name. */
export async function runInline(
  execution: Execution,
  name: string,
  execute: Execute,
  options?: ActivityOptions,
): Promise<unknown> {
  requireName(name, "name of an activity");
  if (typeof execute !== "function") {
    throw new UsageError(
      "invalid-argument",
      `ctx.run("${name}", …) needs a function as its second argument. To call a defined activity, pass the activity itself instead of its name.`,
    );
  }
  if (options !== undefined) requireOptions(options, `ctx.run of activity "${name}"`, CALL_OPTIONS);
  const inline = {
    name,
    inputSchema: null,
    outputSchema: null,
    cache: null,
    transaction: null,
    queue: null,
    execute: (_: never, context: ActivityContext) => execute(context),
  };
  return schedule(execution, inline, null, requireAttemptSettings(options ?? {}, name));
}

function schedule(
  execution: Execution,
  activity: Pick<AnyActivity, "name" | "inputSchema" | "outputSchema" | "execute" | "cache" | "transaction" | "queue">,
  input: string | null,
  settings: AttemptSettings,
): Promise<unknown> {
  const { name } = activity;
  const asked = execution.ask(
    ["ACTIVITY_SCHEDULED", "ACTIVITY_RETRYING", "ACTIVITY_COMPLETED", "ACTIVITY_FAILED"],
    name,
  );
  if (asked === null) return new Promise(() => {});
  if (execution.owedCancel.isOwed) return execution.owedCancel.refusal();
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
      transaction: activity.transaction,
      settings,
      input,
      queue: activity.queue,
      gate: execution.gate,
      attempt: 1,
      dueAt: 0,
      recorded: asked.recorded !== undefined,
      task: null,
    });
    if (asked.recorded !== undefined) return;
    if (!isExecutedHere(execution, activity)) {
      // What history does not show as sent out may have been executed by others and cancelled: known when all is replayed.
      if (!execution.replaying) activityDispatched(execution, command);
    } else if (input !== null && input.length > LARGE_INPUT_CHARACTERS) {
      activityScheduled(execution, command);
    }
  });
}
