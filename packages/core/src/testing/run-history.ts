import type { Codec } from "../codec/codec.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import type { AnyActivity } from "../define/activity.ts";
import type { AnySignal } from "../define/signal.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import { openEvent } from "../engine/open-event.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { Failure } from "../model/failure.ts";
import type { RunStatus } from "../model/run.ts";
import type { ExportedHistory } from "./export-history.ts";
import {
  type RecordedActivity,
  type RecordedChild,
  type RecordedSignal,
  type RecordedTimer,
  type Records,
  recordsOf,
} from "./recorded.ts";
import { timelineOf } from "./timeline.ts";

/** What happened in a run, as plain data for any assertion; {@link expectHistory} has the common ones. */
export interface RunHistory {
  readonly runId: string;
  readonly workflow: string;
  readonly input: unknown;
  readonly status: RunStatus;
  /** Of a run that has completed. */
  readonly output?: unknown;
  /** Of a run that has failed. */
  readonly failure?: Failure;
  /** All events, oldest first. */
  readonly events: readonly WorkflowEvent[];
  /** All calls of activities, or those of one, in the order in which they were recorded. */
  activities(activity?: AnyActivity | string): readonly RecordedActivity[];
  /** All signals that were received, or those of one kind. */
  signals(signal?: AnySignal | string): readonly RecordedSignal[];
  timers(): readonly RecordedTimer[];
  children(workflow?: AnyWorkflow | string): readonly RecordedChild[];
  /** A line for each event, without ids and dates: the same whenever the run happens again. */
  timeline(): string;
}

/**
 * Reads an exported history.
 *
 * @example
 * const exported = JSON.parse(await readFile("histories/order.json", "utf8")) as ExportedHistory;
 * console.log(readHistory(exported).timeline());
 */
export function readHistory(exported: ExportedHistory, options: { readonly codec?: Codec } = {}): RunHistory {
  return new OpenedHistory(exported, options.codec ?? jsonCodec);
}

class OpenedHistory implements RunHistory {
  readonly runId: string;
  readonly workflow: string;
  readonly input: unknown;
  readonly status: RunStatus;
  readonly output?: unknown;
  readonly failure?: Failure;
  readonly events: readonly WorkflowEvent[];
  readonly #records: Records;

  constructor({ header, events }: ExportedHistory, codec: Codec) {
    this.runId = header.runId;
    this.workflow = header.workflow;
    this.input = codec.decode(header.input);
    this.events = events.map((event) => openEvent(codec, event));
    this.#records = recordsOf(this.events);
    const last = this.events.at(-1);
    this.status = statusAfter(last);
    if (last?.type === "WORKFLOW_COMPLETED") this.output = last.data.output;
    if (last?.type === "WORKFLOW_FAILED") this.failure = last.data.failure;
  }

  activities(activity?: AnyActivity | string): readonly RecordedActivity[] {
    return named(this.#records.activities, ({ name }) => name, activity);
  }

  signals(signal?: AnySignal | string): readonly RecordedSignal[] {
    return named(this.#records.signals, ({ name }) => name, signal);
  }

  timers(): readonly RecordedTimer[] {
    return this.#records.timers;
  }

  children(workflow?: AnyWorkflow | string): readonly RecordedChild[] {
    return named(this.#records.children, (child) => child.workflow, workflow);
  }

  timeline(): string {
    return timelineOf(this.input, this.events);
  }
}

function named<T>(
  records: readonly T[],
  nameOf: (record: T) => string,
  wanted: { readonly name: string } | string | undefined,
): readonly T[] {
  if (wanted === undefined) return records;
  const name = typeof wanted === "string" ? wanted : wanted.name;
  return records.filter((record) => nameOf(record) === name);
}

function statusAfter(last: WorkflowEvent | undefined): RunStatus {
  switch (last?.type) {
    case "WORKFLOW_COMPLETED":
      return "completed";
    case "WORKFLOW_FAILED":
      return "failed";
    case "WORKFLOW_CANCELLED":
      return "cancelled";
    default:
      return "open";
  }
}
