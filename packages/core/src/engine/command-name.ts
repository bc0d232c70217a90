import type { WorkflowEvent } from "../model/event.ts";

/** The name that a command's first event is compared by; empty for commands that have none. */
export function commandName(event: WorkflowEvent): string {
  switch (event.type) {
    case "ACTIVITY_SCHEDULED":
    case "ACTIVITY_RETRYING":
    case "ACTIVITY_COMPLETED":
    case "ACTIVITY_FAILED":
      return event.data.activity;
    case "SIGNAL_AWAITED":
      return event.data.signal;
    case "SIGNAL_SENT":
      return event.data.signal ?? "";
    case "CHILD_SCHEDULED":
      return event.data.workflow;
    case "SIDE_EFFECT_RECORDED":
      return event.data.name;
    case "STATE_SET":
      return event.data.key;
    case "STEP_STARTED":
    case "STEP_COMPLETED":
      return event.data.step;
    case "VERSION_MARKED":
      return event.data.id;
    default:
      return "";
  }
}
