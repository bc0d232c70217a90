import type { SealedValues } from "../codec/envelope.ts";
import type { Failure } from "../model/failure.ts";
import type { Payload } from "../model/payload.ts";
import { nextDelayAfter } from "../model/retry.ts";
import { newActivityTask, queueOf } from "./activity-task.ts";
import type { Execution } from "./execution.ts";
import type { OpenActivity } from "./open-command.ts";

/**
 * Whether an activity is executed where the run is held. Those of queues that are not served here go out as tasks, and so do
 * transactional ones: what is written in their own transaction can be a task's end, but no part of a history.
 */
export function isExecutedHere(
  { environment }: Execution,
  { queue, transaction }: Pick<OpenActivity, "queue" | "transaction">,
): boolean {
  return transaction === null && (queue === null || environment.serves(queue));
}

/** Records that the attempt which runs has not ended yet. */
export function activityScheduled(execution: Execution, command: number): void {
  const open = execution.open.activities.get(command);
  if (open === undefined || open.recorded) return;
  execution.append("ACTIVITY_SCHEDULED", command, { activity: open.name, where: "inline" }, inputOf(open));
  open.recorded = true;
}

/** Sends the activity out: another worker executes it, from the next attempt on, and its outcome comes as a message. */
export function activityDispatched(execution: Execution, command: number): void {
  const open = execution.open.activities.get(command);
  if (open === undefined || open.task !== null) return;
  const { run } = execution;
  const queue = queueOf(run, open);
  execution.append("ACTIVITY_SCHEDULED", command, { activity: open.name, where: "task", queue }, inputOf(open));
  open.recorded = true;
  open.task = execution.head;
  execution.taskChanges.schedule(execution.head, newActivityTask(run, open, execution.head));
}

/** `cached`: the output is that of an earlier call, nothing was executed. */
export async function activityCompleted(
  execution: Execution,
  command: number,
  output: Payload,
  cached?: true,
): Promise<void> {
  const open = execution.open.activities.get(command);
  if (open === undefined) return;
  const { name: activity, attempt } = open;
  const plain = cached ? { activity, attempt, cached } : { activity, attempt };
  const at = execution.append("ACTIVITY_COMPLETED", command, plain, { ...inputOf(open), output });
  const { codec } = execution.environment;
  await execution.turn(at, () => execution.open.activityCompleted(command, codec.decode(output)));
}

/** The activity has failed for good. */
export async function activityExhausted(execution: Execution, command: number, failure: Failure): Promise<void> {
  const open = execution.open.activities.get(command);
  if (open === undefined) return;
  const { attempt, name: activity } = open;
  const at = execution.append("ACTIVITY_FAILED", command, { activity, attempt }, failureOf(execution, open, failure));
  await execution.turn(at, () => execution.open.activityFailed(command, attempt, failure));
}

/** An attempt failed: the policy decides whether there is another. */
export async function activityFailed(execution: Execution, command: number, failure: Failure): Promise<void> {
  const open = execution.open.activities.get(command);
  if (open === undefined) return;
  const delayMs = nextDelayAfter(open.settings.retry, open.attempt, execution.environment.random(), failure);
  if (delayMs === null) return activityExhausted(execution, command, failure);
  const { attempt, name: activity } = open;
  const dueAt = execution.time() + delayMs;
  execution.append("ACTIVITY_RETRYING", command, { activity, attempt, dueAt }, failureOf(execution, open, failure));
  execution.open.activityRetrying(command, attempt + 1, dueAt);
  open.gate = execution.head;
}

function failureOf({ environment }: Execution, open: OpenActivity, failure: Failure): SealedValues {
  return { ...inputOf(open), failure: environment.codec.encode(failure) };
}

/** The first event of an activity has its input. */
function inputOf(open: OpenActivity): SealedValues {
  return open.recorded || open.input === null ? {} : { input: open.input };
}
