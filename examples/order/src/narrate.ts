import type { WorkflowEvent } from "@perdure/core";
import type { Mood } from "./timeline.ts";

/** An event in a few words. */
export interface Clause {
  readonly mood: Mood;
  readonly text: string;
}

/** Tells an event; `null` for what is not worth a line. */
export function narrate(event: WorkflowEvent): Clause | null {
  switch (event.type) {
    case "WORKFLOW_STARTED":
      return plain(`workflow ${event.data.workflow} started`);
    case "WORKFLOW_COMPLETED":
      return good(`completed: ${JSON.stringify(event.data.output)}`);
    case "WORKFLOW_FAILED":
      return bad(`failed: ${event.data.failure.message}`);
    case "ACTIVITY_SCHEDULED":
      return plain(`${event.data.activity} is under way`);
    case "ACTIVITY_RETRYING": {
      const { activity, attempt, failure, dueAt } = event.data;
      return bad(`${activity} failed at attempt ${attempt}: ${failure.message}; again in ${seconds(dueAt - event.at)}`);
    }
    case "ACTIVITY_COMPLETED": {
      const { activity, attempt } = event.data;
      return good(attempt === 1 ? `${activity} done` : `${activity} done at attempt ${attempt}`);
    }
    case "TIMER_STARTED":
      return plain(`sleeps for ${seconds(event.data.dueAt - event.at)}`);
    case "TIMER_FIRED":
      return plain("wakes");
    case "SIGNAL_AWAITED":
      return plain(`waits for signal ${event.data.signal}`);
    case "SIGNAL_RECEIVED":
      return plain(`signal ${event.data.signal} received`);
    case "CHILD_SCHEDULED":
      return plain(`child run ${event.data.runId}`);
    default:
      return null;
  }
}

function good(text: string): Clause {
  return { mood: "good", text };
}

function bad(text: string): Clause {
  return { mood: "bad", text };
}

function plain(text: string): Clause {
  return { mood: "plain", text };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
