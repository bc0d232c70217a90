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

/** A run, or the one that has its id. */
interface Named {
  readonly runId: string;
  readonly incarnation: string;
}

/** Messages that history has as delivered, and that somebody has to get again. */
export interface Resend {
  /** Seq of the CHILD_SCHEDULED of the child that gets them; `null`: the fork itself. */
  readonly child: Seq | null;
  /** Seqs of their SIGNAL_SENT. */
  readonly sends: readonly Seq[];
}

/** The events of a fork after its own first one. */
export interface ForkedPrefix {
  /** At seq 2 … */
  readonly events: readonly NewEvent[];
  /** Where the fork's replay starts. */
  readonly baseSeq: Seq;
  /** Its search attributes, as of the end of these events. */
  readonly attributes: Attributes;
  readonly resends: readonly Resend[];
}

/**
 * What a fork takes over from its source. It follows from the source's events and the two names alone: whoever goes on with a copy
 * makes the same one. Commands without an outcome are open again in the fork: an activity and its attempts are left out, so that the
 * code's asking issues it anew; a child gets another name; timers, waits and messages that are not delivered stay as they are. What
 * was said to the source by itself, or to a child that is started anew, is said to the fork or its child. Earlier generations are
 * past: nothing of them is left out, so what refers to their events stands, and their children stay with the source.
 */
export function forkedPrefix(
  source: readonly StoredEvent[],
  from: Named,
  fork: Named & { readonly attributes: Attributes },
): ForkedPrefix {
  const baseSeq = (source.findLast(({ type }) => type === "WORKFLOW_CONTINUED_AS_NEW")?.seq ?? 1) - 1;
  const present = source.slice(baseSeq);
  const settled = commandsWith(present, OUTCOMES);
  const isAccepted = acceptedSends(source);
  const mail = new Mail(from, fork);
  const events: NewEvent[] = [];
  let { attributes } = fork;
  for (const event of source.slice(1)) {
    const isOpen = event.seq > baseSeq && !settled.has(event.command);
    const seq = events.length + 2;
    switch (event.type as EventType) {
      case "WORKFLOW_COMPLETED":
      case "WORKFLOW_FAILED":
      case "WORKFLOW_CANCELLED":
        break;
      case "ACTIVITY_SCHEDULED":
      case "ACTIVITY_RETRYING":
      case "CHILD_STARTED":
        if (!isOpen) events.push(asNew(event));
        break;
      case "CHILD_SCHEDULED":
        events.push(isOpen ? mail.rename(event, seq) : asNew(event));
        break;
      case "SIGNAL_SENT":
        events.push(mail.send(event, seq, isAccepted(event)));
        break;
      case "SIGNAL_RECEIVED":
        events.push(mail.receive(event));
        break;
      case "WORKFLOW_CONTINUED_AS_NEW":
        events.push(continued(event, attributes));
        break;
      case "ATTRIBUTES_SET":
        attributes = { ...attributes, ...(dataOf(event) as EventData["ATTRIBUTES_SET"]).attributes };
        events.push(asNew(event));
        break;
      default:
        events.push(asNew(event));
    }
  }
  return { events, baseSeq, attributes, resends: mail.resends() };
}

/** Who has another name in the fork, and which messages they got under the old one. */
class Mail {
  readonly #from: Named;
  readonly #fork: Named;
  /** By the incarnation that each had in the source, and by its id there. */
  readonly #children = new Map<string, Named & { readonly seq: Seq }>();
  readonly #childrenById = new Map<string, Named & { readonly seq: Seq }>();
  readonly #accepted: { readonly child: Seq | null; readonly seq: Seq }[] = [];
  /** Messages of the source to itself: the id that each was received by, and its seq in the fork. */
  readonly #own = new Map<string, Seq>();
  readonly #received = new Set<Seq>();

  constructor(from: Named, fork: Named) {
    this.#from = from;
    this.#fork = fork;
  }

  rename(scheduled: StoredEvent, seq: Seq): NewEvent {
    const incarnation = childIncarnation(this.#fork.incarnation, seq);
    const child = { runId: `child-${incarnation}`, incarnation };
    const named = dataOf(scheduled) as EventData["CHILD_SCHEDULED"];
    this.#children.set(named.incarnation, { ...child, seq });
    this.#childrenById.set(named.runId, { ...child, seq });
    return rewritten(scheduled, child);
  }

  send(sent: StoredEvent, seq: Seq, accepted: boolean): NewEvent {
    const to = dataOf(sent) as EventData["SIGNAL_SENT"];
    const child = to.incarnation === undefined ? this.#childrenById.get(to.runId) : this.#children.get(to.incarnation);
    const isOwn = to.runId === this.#from.runId && to.incarnation === undefined;
    if (child === undefined && !isOwn) return asNew(sent);
    if (accepted) this.#accepted.push({ child: child?.seq ?? null, seq });
    if (isOwn) this.#own.set(`${this.#from.incarnation}-${sent.seq}`, seq);
    if (child === undefined) return rewritten(sent, { runId: this.#fork.runId });
    return rewritten(sent, { runId: child.runId, incarnation: child.incarnation });
  }

  receive(received: StoredEvent): NewEvent {
    const { id } = dataOf(received) as EventData["SIGNAL_RECEIVED"];
    const seq = this.#own.get(id);
    if (seq === undefined) return asNew(received);
    this.#received.add(seq);
    return rewritten(received, { id: `${this.#fork.incarnation}-${seq}` });
  }

  resends(): readonly Resend[] {
    const byChild = new Map<Seq | null, Seq[]>();
    for (const { child, seq } of this.#accepted) {
      if (this.#received.has(seq)) continue;
      const sends = byChild.get(child);
      if (sends === undefined) byChild.set(child, [seq]);
      else sends.push(seq);
    }
    return [...byChild].map(([child, sends]) => ({ child, sends }));
  }
}

/** Whether a message was taken by the run that it was sent to. Commands are numbered anew in each generation. */
function acceptedSends(source: readonly StoredEvent[]): (sent: StoredEvent) => boolean {
  const accepted = new Set<Seq>();
  let open = new Map<number | null, Seq>();
  for (const event of source) {
    if (event.type === "WORKFLOW_CONTINUED_AS_NEW") open = new Map();
    if (event.type === "SIGNAL_SENT") open.set(event.command, event.seq);
    if (event.type !== "SIGNAL_DELIVERED") continue;
    if ((dataOf(event) as EventData["SIGNAL_DELIVERED"]).status === "accepted") accepted.add(open.get(event.command)!);
  }
  return ({ seq }) => accepted.has(seq);
}

/** A generation of the fork begins with the fork's attributes, and owes nothing to the source's children. */
function continued(event: StoredEvent, attributes: Attributes): NewEvent {
  const data = dataOf(event) as { readonly children: readonly Seq[]; readonly attributes?: Attributes };
  const isSame = JSON.stringify(data.attributes ?? {}) === JSON.stringify(attributes);
  if (isSame && data.children.length === 0) return asNew(event);
  return rewritten(event, { children: [], ...(!isSame && { attributes }) });
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
