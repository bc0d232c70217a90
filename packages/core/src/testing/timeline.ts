import { inspect } from "node:util";
import type { WorkflowEvent } from "../model/event.ts";
import type { Failure } from "../model/failure.ts";
import type { Seq } from "../model/ids.ts";

const MAX_VALUE_CHARACTERS = 120;

/** A line for each event: how long after the start, and what. */
export function timelineOf(input: unknown, events: readonly WorkflowEvent[]): string {
  const startedAt = events[0]?.at ?? 0;
  const opened: Opened = { commands: new Map(), children: new Map() };
  const lines = events.map((event) => [length(event.at - startedAt), tell(event, input, opened)] as const);
  const width = Math.max(0, ...lines.map(([time]) => time.length));
  return lines.map(([time, what]) => `${time.padStart(width)}  ${what}`).join("\n");
}

/** What later events refer to. */
interface Opened {
  /** By the number of the command. */
  readonly commands: Map<number, string>;
  /** By the seq of their CHILD_SCHEDULED, also of generations that are over. */
  readonly children: Map<Seq, string>;
}

function tell({ seq, type, command, at, data }: WorkflowEvent, input: unknown, opened: Opened): string {
  const open = (what: string): string => {
    opened.commands.set(command ?? 0, what);
    return what;
  };
  const what = opened.commands.get(command ?? 0) ?? "";
  switch (type) {
    case "WORKFLOW_STARTED":
      return `workflow ${data.workflow}${given(input)} started`;
    case "WORKFLOW_COMPLETED":
      return `workflow completed${answered(data.output)}`;
    case "WORKFLOW_FAILED":
      return `workflow failed: ${reason(data.failure)}`;
    case "WORKFLOW_CANCELLED":
      return `workflow ${data.terminated === true ? "terminated" : "cancelled"}${because(data.reason)}`;
    case "WORKFLOW_CONTINUED_AS_NEW":
      opened.commands.clear();
      return `workflow continued as new${given(data.input)}`;
    case "STEP_STARTED":
      return `step ${data.step} started`;
    case "STEP_COMPLETED":
      return `step ${data.step} completed`;
    case "STATE_SET":
      return `state ${data.key} = ${show(data.value)}`;
    case "STATE_UPDATE":
      return `state = ${show(data.value)}`;
    case "ACTIVITY_SCHEDULED":
      return `activity ${data.activity}${given(data.input)} scheduled`;
    case "ACTIVITY_RETRYING":
      return `activity ${data.activity}${given(data.input)} failed${attempt(data.attempt)}: ${reason(data.failure)}; again in ${length(data.dueAt - at)}`;
    case "ACTIVITY_COMPLETED":
      return `activity ${data.activity}${given(data.input)} completed${data.cached === true ? " from the cache" : attempt(data.attempt)}${answered(data.output)}`;
    case "ACTIVITY_FAILED":
      return `activity ${data.activity}${given(data.input)} failed for good${attempt(data.attempt)}: ${reason(data.failure)}`;
    case "TIMER_STARTED":
      return `${open(`sleep of ${length(data.dueAt - at)}`)} started`;
    case "TIMER_FIRED":
      return `${what} is over`;
    case "TIMER_CANCELLED":
      return `${what} called off`;
    case "SIGNAL_AWAITED":
      return `${open(`wait for signal ${data.signal}${data.dueAt === undefined ? "" : `, at most ${length(data.dueAt - at)},`}`)} started`;
    case "SIGNAL_RECEIVED":
      return `signal ${data.signal}${given(data.payload)} received`;
    case "SIGNAL_SENT":
      return `${open(data.signal === null ? `cancel request to run ${data.runId}` : `signal ${data.signal}${given(data.payload)} to run ${data.runId}`)} sent`;
    case "SIGNAL_DELIVERED":
      return `${what} ${data.status === "accepted" ? "accepted" : `refused: the run is ${data.status}`}`;
    case "CANCEL_REQUESTED":
      return `cancel requested${because(data.reason)}`;
    case "CHILD_SCHEDULED":
      opened.children.set(seq, open(`child ${data.workflow}`));
      return `child ${data.workflow}${given(data.input)} scheduled`;
    case "CHILD_STARTED":
      return `${what} started`;
    case "CHILD_COMPLETED":
      return `${opened.children.get(data.scheduled ?? 0) ?? what} completed${answered(data.output)}`;
    case "CHILD_FAILED":
      return `${opened.children.get(data.scheduled ?? 0) ?? what} failed: ${reason(data.failure)}`;
    case "SIDE_EFFECT_RECORDED":
      return `side effect ${data.name}${data.failure === undefined ? answered(data.value) : ` failed: ${reason(data.failure)}`}`;
    case "VERSION_MARKED":
      return `version ${data.id} marked`;
    case "ATTRIBUTES_SET":
      return `attributes ${show(data.attributes)}`;
    case "FORKED":
      return `forked from run ${data.fromRunId} at ${data.fromSeq}`;
    default:
      return type satisfies never;
  }
}

function show(value: unknown): string {
  const text = inspect(value, { depth: 6, breakLength: Infinity, compact: true, sorted: true });
  return text.length <= MAX_VALUE_CHARACTERS ? text : `${text.slice(0, MAX_VALUE_CHARACTERS)}…`;
}

function given(value: unknown): string {
  return value === undefined ? "" : `(${show(value)})`;
}

function answered(value: unknown): string {
  return value === undefined || value === null ? "" : ` → ${show(value)}`;
}

function attempt(number: number): string {
  return number === 1 ? "" : `, attempt ${number}`;
}

/** One line: stacks and paths differ from machine to machine. */
function reason({ name, message, cause }: Failure): string {
  const [line = ""] = message.split("\n");
  return line === "" && cause !== undefined ? reason(cause) : line === "" ? name : line;
}

function because(text: string | undefined): string {
  return text === undefined ? "" : `: ${text}`;
}

/** Such as `1d 2h` or `250ms`. */
function length(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
    ["ms", 1],
  ] as const;
  let left = ms;
  const parts = units.flatMap(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? [] : [`${count}${unit}`];
  });
  return parts.length === 0 ? "0s" : parts.join(" ");
}
