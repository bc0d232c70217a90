import type { WorkflowEvent } from "@perdure/core";

/** One clause of the story, and how it went. */
export interface Clause {
  readonly text: string;
  readonly mood: "good" | "bad" | "plain";
}

/** Tells an event in a few words; `null` for what is not worth a line. */
export function narrate(event: WorkflowEvent): Clause | null {
  switch (event.type) {
    case "WORKFLOW_STARTED":
      return plain(`workflow ${event.data.workflow} started`);
    case "WORKFLOW_COMPLETED":
      return { text: `completed: ${JSON.stringify(event.data.output)}`, mood: "good" };
    case "WORKFLOW_FAILED":
      return { text: `failed: ${event.data.failure.message}`, mood: "bad" };
    case "ACTIVITY_SCHEDULED":
      return plain(`${event.data.activity} is running`);
    case "ACTIVITY_COMPLETED":
      return { text: `${event.data.activity} done${event.data.attempt > 1 ? ` at attempt ${event.data.attempt}` : ""}`, mood: "good" };
    case "ACTIVITY_RETRYING": {
      const { activity, attempt, failure, dueAt } = event.data;
      return { text: `${activity} failed at attempt ${attempt}: ${failure.message}; again in ${seconds(dueAt - event.at)}`, mood: "bad" };
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

function plain(text: string): Clause {
  return { text, mood: "plain" };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
