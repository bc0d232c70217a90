import type { Asked } from "../engine/command-log.ts";
import { Execution } from "../engine/execution.ts";
import type { EventType } from "../model/event.ts";
import type { Payload } from "../model/payload.ts";

/** Something that workflow code asked for. */
export interface Command {
  /** In the order of asking, from 1. Marks of patches that are gone leave gaps. */
  readonly number: number;
  /** Type of the event that records it first. */
  readonly type: EventType;
  /** Of the activity, signal, child workflow, side effect or state key; empty for what has no name. */
  readonly name: string;
}

/** An execution that remembers what its code asked for. */
export class ObservedExecution extends Execution {
  readonly #commands: Command[] = [];
  readonly #newMarks = new Set<number>();
  #certain = Infinity;

  override ask<T extends EventType>(types: readonly T[], name: string): Asked<T> | null {
    const asked = super.ask(types, name);
    if (asked === null) return null;
    const { command: number, recorded } = asked;
    this.#commands.push({ number, type: types[0]!, name });
    if (recorded !== undefined) return asked;
    if (types[0] === "VERSION_MARKED") this.#newMarks.add(number);
    if (types[0] === "SIDE_EFFECT_RECORDED") this.#certain = Math.min(this.#certain, number);
    return asked;
  }

  get commands(): readonly Command[] {
    return this.#commands;
  }

  /** Patches that history has not recorded: if there is more of it, by code without them, they will not be in it. */
  get newMarks(): ReadonlySet<number> {
    return this.#newMarks;
  }

  /** Commands up to this one are the same each time: the first side effect that history has not recorded may turn out differently. */
  get certain(): number {
    return this.#certain;
  }

  /** What was handed over with the commands that are open now. */
  *inputs(): Iterable<readonly [number: number, input: Payload | null]> {
    const { activities, children, sends } = this.open;
    for (const { command, input } of activities.values()) yield [command, input];
    for (const { command, input } of children.values()) yield [command, input];
    for (const { command, payload } of sends.values()) yield [command, payload];
  }
}
