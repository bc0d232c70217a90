import { activityDispatched, isExecutedHere } from "../engine/activity-events.ts";
import type { Execution } from "../engine/execution.ts";
import type { OpenActivity } from "../engine/open-command.ts";
import type { Seq } from "../model/ids.ts";
import type { Attempts } from "./attempts.ts";
import type { WorkerEnvironment } from "./environment.ts";

/** What came of a look at the activities that are open. */
interface Started {
  /** Something went out as a task, and is to be committed. */
  readonly wentOut: boolean;
  /** Something waits for a slot. */
  readonly isCrowded: boolean;
}

const NOTHING: Started = { wentOut: false, isCrowded: false };

/**
 * Begins the attempts whose time has come and whose cause is durable: here while slots are free; what belongs to others, or what
 * no slot is free for, goes out as tasks.
 */
export function startActivities(
  environment: WorkerEnvironment,
  execution: Execution,
  attempts: Attempts,
  durable: Seq,
): Started {
  const { activities } = execution.open;
  if (activities.size === 0) return NOTHING;
  const now = environment.access.clock.earliest();
  let hasSlot = true;
  let wentOut = false;
  for (const activity of activities.values()) {
    const { command, task, gate, dueAt } = activity;
    if (task !== null || gate > durable || dueAt > now || attempts.has(command)) continue;
    // From now on it waits for a slot, not for a time.
    activity.dueAt = 0;
    const isOurs = isExecutedHere(execution, activity);
    if (isOurs) hasSlot = hasSlot && attempts.start(execution.run, activity);
    if (isOurs && (hasSlot || !canGoOut(environment, activity))) continue;
    activityDispatched(execution, command);
    wentOut = true;
  }
  return wentOut || !hasSlot ? { wentOut, isCrowded: !hasSlot } : NOTHING;
}

/** Others can execute it: it is defined by name, and no attempt of it was recorded as made here. */
function canGoOut({ registry }: WorkerEnvironment, { name, recorded, input }: OpenActivity): boolean {
  return !recorded && input !== null && registry.activity(name) !== undefined;
}
