import type { WorkflowEvent } from "../model/event.ts";
import type { Failure } from "../model/failure.ts";
import type { Seq } from "../model/ids.ts";

/** A call of an activity, as history tells it. */
export interface RecordedActivity {
  readonly name: string;
  /** As the workflow gave it, before the input schema; `undefined` for a function. */
  readonly input: unknown;
  /** Attempts whose end is recorded. */
  readonly attempts: number;
  readonly status: "open" | "completed" | "failed";
  readonly output?: unknown;
  /** Of the last attempt that failed. */
  readonly failure?: Failure;
}

/** A signal that the run received. */
export interface RecordedSignal {
  readonly name: string;
  readonly payload: unknown;
}

/** A sleep. */
export interface RecordedTimer {
  readonly ms: number;
  readonly status: "open" | "fired" | "cancelled";
}

/** A child run, as its parent's history tells it. */
export interface RecordedChild {
  readonly workflow: string;
  readonly runId: string;
  readonly input: unknown;
  readonly status: "open" | "completed" | "failed";
  readonly output?: unknown;
  readonly failure?: Failure;
}

/** What a history records, by kind, each in the order in which it first appears. */
export interface Records {
  readonly activities: readonly RecordedActivity[];
  readonly signals: readonly RecordedSignal[];
  readonly timers: readonly RecordedTimer[];
  readonly children: readonly RecordedChild[];
}

/** Folds a history. */
export function recordsOf(events: readonly WorkflowEvent[]): Records {
  const activities = new Series<RecordedActivity>();
  const timers = new Series<RecordedTimer>();
  // By the seq of their CHILD_SCHEDULED: a child may close when its generation is long over.
  const children = new Series<RecordedChild>();
  let scheduledBy = new Map<number, Seq>();
  const signals: RecordedSignal[] = [];
  for (const { seq, type, command, at, data } of events) {
    const key = command ?? 0;
    switch (type) {
      case "ACTIVITY_SCHEDULED":
      case "ACTIVITY_RETRYING":
      case "ACTIVITY_COMPLETED":
      case "ACTIVITY_FAILED":
        activities.put(key, (before = { name: data.activity, input: data.input, attempts: 0, status: "open" }) => {
          if (type === "ACTIVITY_SCHEDULED") return before;
          const { attempt: attempts } = data;
          if (type === "ACTIVITY_COMPLETED") return { ...before, attempts, status: "completed", output: data.output };
          const { failure } = data;
          return { ...before, attempts, status: type === "ACTIVITY_FAILED" ? "failed" : "open", failure };
        });
        break;
      case "TIMER_STARTED":
        timers.put(key, () => ({ ms: data.dueAt - at, status: "open" }));
        break;
      case "TIMER_FIRED":
      case "TIMER_CANCELLED":
        // Also fired: the patience of a wait, which is no sleep.
        if (timers.has(key))
          timers.put(key, (before) => ({ ...before!, status: type === "TIMER_FIRED" ? "fired" : "cancelled" }));
        break;
      case "SIGNAL_RECEIVED":
        signals.push({ name: data.signal, payload: data.payload });
        break;
      case "CHILD_SCHEDULED": {
        const { workflow, runId, input } = data;
        scheduledBy.set(key, seq);
        children.put(seq, () => ({ workflow, runId, input, status: "open" }));
        break;
      }
      case "CHILD_COMPLETED":
        children.put(data.scheduled ?? scheduledBy.get(key)!, (before) => ({
          ...before!,
          status: "completed",
          output: data.output,
        }));
        break;
      case "CHILD_FAILED":
        children.put(data.scheduled ?? scheduledBy.get(key)!, (before) => ({
          ...before!,
          status: "failed",
          failure: data.failure,
        }));
        break;
      case "WORKFLOW_CONTINUED_AS_NEW":
        for (const series of [activities, timers]) series.restart();
        scheduledBy = new Map();
        break;
      default:
    }
  }
  return { activities: activities.all, signals, timers: timers.all, children: children.all };
}

/** Records by their command, whose numbers begin anew when a run continues as new. */
class Series<T> {
  readonly all: T[] = [];
  readonly #places = new Map<number, number>();

  has(command: number): boolean {
    return this.#places.has(command);
  }

  put(command: number, next: (before?: T) => T): void {
    const place = this.#places.get(command) ?? this.all.length;
    this.#places.set(command, place);
    this.all[place] = next(this.all[place]);
  }

  restart(): void {
    this.#places.clear();
  }
}
