import type { Codec } from "../codec/codec.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import { continuedEvent, inheritedSeqs, readInheritance } from "../engine/continuation.ts";
import type { Continuation, Ending } from "../engine/ending.ts";
import type { Inheritance } from "../engine/open-command.ts";
import { copyOwed } from "../engine/forked-prefix.ts";
import { openEvent } from "../engine/open-event.ts";
import { SeededRandom } from "../engine/seeded-random.ts";
import { workflowBody } from "../engine/workflow-body.ts";
import { DeterminismError, UsageError } from "../errors/index.ts";
import { type EventData, isTerminal, type WorkflowEvent } from "../model/event.ts";
import type { Failure } from "../model/failure.ts";
import type { Seq } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { RunHeader, RunStatus } from "../model/run.ts";
import { realRuntime } from "../runtime/real-runtime.ts";
import type { StoredEvent } from "../storage/event.ts";
import type { ExportedHistory } from "./export-history.ts";
import { type Command, ObservedExecution } from "./observed-execution.ts";

/** How a history is replayed. */
export interface ReplayOptions {
  /** The codec that wrote the history. */
  readonly codec?: Codec;
  /** Replays every prefix of the history too, each from the beginning (I14). Takes time with the square of the length. */
  readonly prefixes?: boolean;
}

/** What the code did when it was replayed. */
export interface Replay {
  readonly commands: readonly Command[];
  /** How the code ended; `open` while it waits. */
  readonly status: RunStatus;
}

/**
 * Replays a recorded history with the code of today, cold and without a storage: nothing is executed, written or sent. Keep the
 * histories of old releases and replay them in CI: it fails before a deploy would block the runs that are open.
 *
 * @throws DeterminismError when the code asks for other things than history has, ends differently, or waits for what is not durable
 * @throws UsageError `unknown-workflow` for the history of another workflow
 * @example
 * const exported = JSON.parse(await readFile("histories/order.json", "utf8")) as ExportedHistory;
 * await replayHistory(order, exported);
 */
export async function replayHistory(
  definition: AnyWorkflow,
  { header, events }: ExportedHistory,
  { codec = jsonCodec, prefixes = false }: ReplayOptions = {},
): Promise<Replay> {
  if (definition.name !== header.workflow) {
    throw new UsageError(
      "unknown-workflow",
      `The history of run "${header.runId}" is of workflow "${header.workflow}", not "${definition.name}". Replay it with its own definition.`,
    );
  }
  // The code of a fork is not asked before its history is there.
  if (copyOwed(events) !== null) return { commands: [], status: statusAfter(events.at(-1)!) };
  let replay: Replay | undefined;
  for (const generation of generationsOf(codec, header, events)) {
    const replayer = new Replayer(definition, codec, generation);
    replay = await replayer.replay(prefixes);
  }
  return replay!;
}

/** A piece of history that replays by itself: up to the end, or up to where the run continued as new. */
interface Generation {
  readonly header: RunHeader;
  readonly events: readonly StoredEvent[];
  /** What it has from the generations before. */
  readonly inheritance: Inheritance;
  /** The first event of the generation that followed. */
  readonly next: WorkflowEvent | null;
  /** Its code came to its end: what it had not asked for by then, it did not have. */
  readonly isOver: boolean;
}

function generationsOf(codec: Codec, header: RunHeader, events: readonly StoredEvent[]): readonly Generation[] {
  const open = (seq: number): WorkflowEvent => openEvent(codec, events[seq - 1]!);
  const starts = events
    .filter(({ type, seq }) => seq === 1 || type === "WORKFLOW_CONTINUED_AS_NEW")
    .map(({ seq }) => seq);
  return starts.map((start, at) => {
    const next = starts[at + 1];
    const writer = next === undefined ? null : writerOf(events, next);
    return {
      header: { ...header, ...(writer !== null && { incarnation: writer }), baseSeq: start - 1 },
      events: events.slice(start - 1, (next ?? Infinity) - 1),
      inheritance: readInheritance(inheritedSeqs(open(start)).map(open)),
      next: next === undefined || writer !== null ? null : open(next),
      isOver: next !== undefined || isEndOfCode(open(events.length)),
    };
  });
}

/** The incarnation of the run that wrote a generation which a fork has copied as a whole; `null` for one of its own. */
function writerOf(events: readonly StoredEvent[], end: Seq): string | null {
  const forked = events.find(({ type, seq }) => type === "FORKED" && seq >= end);
  if (forked === undefined) return null;
  const { origin, fromIncarnation } = JSON.parse(forked.data) as EventData["FORKED"];
  return origin ?? fromIncarnation;
}

/** Whether the code brought this end about: a termination, a deadline and the length of its history end a run whatever its code does. */
function isEndOfCode(last: WorkflowEvent): boolean {
  if (last.type === "WORKFLOW_FAILED") {
    const { code } = last.data.failure;
    return code !== "timed-out" && code !== "history-limit";
  }
  return last.type === "WORKFLOW_COMPLETED" || (last.type === "WORKFLOW_CANCELLED" && last.data.terminated !== true);
}

function statusAfter({ type }: StoredEvent): RunStatus {
  if (type === "WORKFLOW_FAILED") return "failed";
  return type === "WORKFLOW_CANCELLED" ? "cancelled" : "open";
}

class Replayer {
  readonly #definition: AnyWorkflow;
  readonly #codec: Codec;
  readonly #generation: Generation;
  readonly #events: readonly WorkflowEvent[];
  /** Of the whole history: what every prefix must begin with. */
  #commands: readonly Command[] = [];
  /** What was handed over with them, by their place among them. */
  readonly #inputs = new Map<number, Payload | null>();

  constructor(definition: AnyWorkflow, codec: Codec, generation: Generation) {
    this.#definition = definition;
    this.#codec = codec;
    this.#generation = generation;
    this.#events = generation.events.map((event) => openEvent(codec, event));
  }

  async replay(prefixes: boolean): Promise<Replay> {
    const { length } = this.#events;
    const whole = await this.#run(length);
    this.#commands = whole.commands;
    this.#checkEnding(whole);
    this.#checkPrefix(length, whole);
    // What a fork has copied is never replayed in part.
    const least = 1 + this.#events.findLastIndex(({ type }) => type === "FORKED");
    for (let count = Math.max(least, 1); prefixes && count < length; count++)
      this.#checkPrefix(count, await this.#run(count));
    const status = whole.ending?.status ?? "open";
    return { commands: whole.commands, status: status === "continued" ? "open" : status };
  }

  async #run(count: number): Promise<ObservedExecution> {
    const { header, events, inheritance, isOver } = this.#generation;
    const at = events[Math.min(count, events.length - 1)]!.at;
    const execution = new ObservedExecution(header, workflowBody(this.#definition), {
      codec: this.#codec,
      logger: SILENT,
      settle: realRuntime.settle,
      random: () => random.next(),
      turnTime: () => at,
      serves: () => true,
    });
    const random = new SeededRandom(header.incarnation);
    execution.inherit(inheritance);
    await execution.replay(events.slice(0, count), { isOver: isOver && count === events.length });
    if (execution.broken === null && execution.stuck) execution.breakAsStuck();
    if (execution.broken !== null) throw execution.broken;
    return execution;
  }

  /** What the code asked for by the end of a prefix is what it asks for in the whole history. */
  #checkPrefix(count: number, execution: ObservedExecution): void {
    const { certain, commands, newMarks } = execution;
    const places = new Map<number, number>();
    for (const [place, command] of commands.entries()) {
      if (command.number > certain) break;
      const expected = this.#commands[place];
      if (expected === undefined || expected.type !== command.type || expected.name !== command.name) {
        // Code without the patch wrote the whole: the prefix goes on with it, and asks for other things.
        if (newMarks.has(command.number)) break;
        throw this.#differs(count, describe(command), expected === undefined ? "nothing" : describe(expected));
      }
      places.set(command.number, place);
    }
    for (const [number, input] of execution.inputs()) {
      const place = places.get(number);
      if (place === undefined) continue;
      const expected = this.#inputs.get(place) ?? input;
      this.#inputs.set(place, expected);
      if (expected !== input)
        throw this.#differs(count, `command ${number} with ${input}`, `command ${number} with ${expected}`);
    }
  }

  #checkEnding(execution: ObservedExecution): void {
    const { ending } = execution;
    const { next } = this.#generation;
    if (next !== null) {
      if (ending?.status !== "continued" || !this.#continues(execution, ending, next)) {
        throw this.#endsDifferently(next, ending);
      }
      return;
    }
    const last = this.#events.at(-1)!;
    if (!isTerminal(last.type)) return;
    if (last.type === "WORKFLOW_COMPLETED") {
      const output = this.#codec.encode(last.data.output);
      if (ending?.status !== "completed" || ending.output !== output) throw this.#endsDifferently(last, ending);
    } else if (last.type === "WORKFLOW_FAILED") {
      if (!isEndOfCode(last)) return;
      if (ending?.status !== "failed" || !isSame(this.#codec.decode(ending.failure) as Failure, last.data.failure)) {
        throw this.#endsDifferently(last, ending);
      }
    } else if (last.type === "WORKFLOW_CANCELLED" && last.data.terminated !== true) {
      // Cancelled before its first turn, the code was never asked.
      const hasRun = this.#events.some(({ command }) => command !== null);
      if (hasRun && ending?.status !== "cancelled") throw this.#endsDifferently(last, ending);
    }
  }

  /** The next generation has the input that the code gave, and all that this one left (I18). */
  #continues(execution: ObservedExecution, continuation: Continuation, next: WorkflowEvent): boolean {
    const event = openEvent(this.#codec, { seq: next.seq, ...continuedEvent(execution, continuation) });
    return this.#codec.encode(event.data) === this.#codec.encode(next.data);
  }

  #differs(count: number, asked: string, expected: string): DeterminismError {
    const { runId, workflow } = this.#generation.header;
    return new DeterminismError(
      "determinism",
      `Run "${runId}" of workflow "${workflow}": replayed up to seq ${this.#events[count - 1]!.seq} the code asked for ${asked}, in the whole history it is ${expected}. ` +
        "Let everything that the code asks for follow from its input and from what the context answers.",
      { details: { runId, events: count, asked, expected } },
    );
  }

  #endsDifferently({ seq, type }: WorkflowEvent, ending: Ending | Continuation | null): DeterminismError {
    const { runId, workflow } = this.#generation.header;
    const ends = ending === null ? "has not ended" : `ends as ${ending.status}`;
    return new DeterminismError(
      "determinism",
      `Run "${runId}" of workflow "${workflow}": at seq ${seq} history ends with ${type}, but the code ${ends}${differently(ending)}. ` +
        "Deploy the code that the run was recorded with, or record the history anew.",
      { details: { runId, seq, recorded: type, ending: ending?.status ?? "open" } },
    );
  }
}

function differently(ending: Ending | Continuation | null): string {
  if (ending?.status === "completed") return " with another output";
  return ending?.status === "continued" ? " with another input, or leaves other signals and children" : "";
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

function describe({ number, type, name }: Command): string {
  return `${type}${name === "" ? "" : ` "${name}"`} as command ${number}`;
}

/** Stacks, paths and line numbers may differ. */
function isSame(a: Failure, b: Failure): boolean {
  return a.name === b.name && a.message === b.message && a.code === b.code;
}
