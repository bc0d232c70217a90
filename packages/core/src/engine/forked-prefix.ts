import type { Codec } from "../codec/codec.ts";
import type { EventData, EventType, WorkflowEvent } from "../model/event.ts";
import type { Seq } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { Attributes } from "../model/run.ts";
import type { NewEvent, StoredEvent } from "../storage/event.ts";
import { childIncarnation } from "./child-name.ts";
import { openEvent } from "./open-event.ts";

/** What a fork's history begins with: the events of one incarnation of a run, up to a seq. */
export type ForkedFrom = NonNullable<EventData["WORKFLOW_STARTED"]["forkedFrom"]>;

/** Whose fork a run is, as its first event says; `null` for a run that is none. */
export function forkedFrom(first: StoredEvent | WorkflowEvent | undefined): ForkedFrom | null {
  if (first?.type !== "WORKFLOW_STARTED") return null;
  if (typeof first.data === "string" && !first.data.includes('"forkedFrom"')) return null;
  return (dataOf(first) as EventData["WORKFLOW_STARTED"]).forkedFrom ?? null;
}

/** What a run has still to copy before its code can go on: its FORKED event is the copy's last. */
export function copyOwed(history: readonly (StoredEvent | WorkflowEvent)[]): ForkedFrom | null {
  const from = forkedFrom(history[0]);
  if (from === null) return null;
  const isCopied = history.some(
    (event) => event.type === "FORKED" && (dataOf(event) as EventData["FORKED"]).fromIncarnation === from.incarnation,
  );
  return isCopied ? null : from;
}

/** The events of a fork after its own first one. */
export interface ForkedPrefix {
  /** At seq 2 … */
  readonly events: readonly NewEvent[];
  /** Where the fork's replay starts. */
  readonly baseSeq: Seq;
  /** Children that the fork starts anew, with the messages that the children of the source had got. */
  readonly reissued: readonly { readonly child: Seq; readonly sends: readonly Seq[] }[];
}

/**
 * What a fork takes over from its source. It follows from the source's events and the fork's incarnation alone: whoever goes on
 * with a copy makes the same one. Commands without an outcome are open again in the fork: an activity and its attempts are left
 * out, so that the code's asking issues it anew; a child gets another name; timers, waits and messages that are not delivered stay
 * as they are. What earlier generations did is past and stays word for word; their children stay with the source.
 */
export function forkedPrefix(source: readonly StoredEvent[], incarnation: string): ForkedPrefix {
  const baseSeq = (source.findLast(({ type }) => type === "WORKFLOW_CONTINUED_AS_NEW")?.seq ?? 1) - 1;
  const past = source.slice(1, baseSeq);
  const present = source.slice(Math.max(baseSeq, 1));
  const settled = commandsWith(present, OUTCOMES);
  const isOpen = ({ command }: StoredEvent): boolean => !settled.has(command);
  const names = new Map<string, { readonly seq: Seq; readonly runId: string; readonly incarnation: string }>();
  const sends = new Map<Seq, { readonly child: Seq; readonly command: number | null }>();
  const events: NewEvent[] = past.map(asNew);
  for (const event of present) {
    const seq = events.length + 2;
    switch (event.type as EventType) {
      case "WORKFLOW_COMPLETED":
      case "WORKFLOW_FAILED":
      case "WORKFLOW_CANCELLED":
        break;
      case "ACTIVITY_SCHEDULED":
      case "ACTIVITY_RETRYING":
      case "CHILD_STARTED":
        if (!isOpen(event)) events.push(asNew(event));
        break;
      case "CHILD_SCHEDULED": {
        if (!isOpen(event)) {
          events.push(asNew(event));
          break;
        }
        const name = childIncarnation(incarnation, seq);
        const child = { runId: `child-${name}`, incarnation: name };
        names.set((dataOf(event) as EventData["CHILD_SCHEDULED"]).incarnation, { seq, ...child });
        events.push(rewritten(event, child));
        break;
      }
      case "SIGNAL_SENT": {
        const child = names.get((dataOf(event) as EventData["SIGNAL_SENT"]).incarnation ?? "");
        if (child === undefined) {
          events.push(asNew(event));
          break;
        }
        sends.set(seq, { child: child.seq, command: event.command });
        events.push(rewritten(event, { runId: child.runId, incarnation: child.incarnation }));
        break;
      }
      case "WORKFLOW_CONTINUED_AS_NEW":
        events.push(rewritten(event, { children: [] }));
        break;
      default:
        events.push(asNew(event));
    }
  }
  const accepted = commandsWith(
    present.filter(({ data }) => data.includes('"accepted"')),
    new Set(["SIGNAL_DELIVERED"]),
  );
  const reissued = [...names.values()].map(({ seq }) => ({
    child: seq,
    sends: [...sends].filter(([, { child, command }]) => child === seq && accepted.has(command)).map(([sent]) => sent),
  }));
  return { events, baseSeq, reissued: reissued.filter((child) => child.sends.length > 0) };
}

/** A run's search attributes after these events. */
export function attributesAfter(history: readonly StoredEvent[]): Attributes {
  const attributes: Record<string, Attributes[string]> = {};
  for (const event of history) {
    if (event.type !== "WORKFLOW_STARTED" && event.type !== "ATTRIBUTES_SET") continue;
    Object.assign(attributes, (dataOf(event) as { readonly attributes?: Attributes }).attributes);
  }
  return attributes;
}

/**
 * A run's state after these events, from the first of a generation on; `undefined` if it has none. `initialState` makes the state that
 * the code begins with.
 */
export function stateAfter(
  codec: Codec,
  generation: readonly StoredEvent[],
  input: Payload,
  initialState: (input: unknown) => unknown,
): Payload | undefined {
  let fields: Record<string, unknown> | undefined;
  for (const stored of generation) {
    if (!STATE_EVENTS.has(stored.type)) continue;
    const event = openEvent(codec, stored);
    if (event.type === "WORKFLOW_STARTED") fields = initialState(codec.decode(input)) as typeof fields;
    else if (event.type === "WORKFLOW_CONTINUED_AS_NEW") fields = initialState(event.data.input) as typeof fields;
    else if (event.type === "STATE_SET") fields = { ...fields, [event.data.key]: event.data.value };
    else if (event.type === "STATE_UPDATE") fields = { ...fields, ...(event.data.value as object) };
  }
  return fields === undefined ? undefined : codec.encode(fields);
}

const OUTCOMES: ReadonlySet<string> = new Set<EventType>([
  "ACTIVITY_COMPLETED",
  "ACTIVITY_FAILED",
  "CHILD_COMPLETED",
  "CHILD_FAILED",
]);

const STATE_EVENTS: ReadonlySet<string> = new Set<EventType>([
  "WORKFLOW_STARTED",
  "WORKFLOW_CONTINUED_AS_NEW",
  "STATE_SET",
  "STATE_UPDATE",
]);

function commandsWith(events: readonly StoredEvent[], types: ReadonlySet<string>): ReadonlySet<number | null> {
  return new Set(events.filter(({ type }) => types.has(type)).map(({ command }) => command));
}

/** Fields that are not the user's are plain JSON, whatever the codec. */
function dataOf({ data }: StoredEvent | WorkflowEvent): object {
  return typeof data === "string" ? (JSON.parse(data) as object) : data;
}

function asNew({ type, command, at, data }: StoredEvent): NewEvent {
  return { type, command, at, data };
}

function rewritten(event: StoredEvent, changes: object): NewEvent {
  return { ...asNew(event), data: JSON.stringify({ ...dataOf(event), ...changes }) };
}
