import type { EventType, WorkflowEvent } from "../model/event.ts";
import { commandName } from "./command-name.ts";

/** A command, and what history has under its number. */
interface Numbered {
  readonly command: number;
  readonly recorded: WorkflowEvent | undefined;
}

/** Numbers what the code asks for, in the order of asking, and keeps what history has for the commands that are to come. */
export class RecordedCommands {
  /** The code came to its end in this history: it asked for nothing else. */
  isOver = false;
  #asked = 0;
  #last = 0;
  /** First event of each command that is loaded and not asked for yet. */
  readonly #first = new Map<number, WorkflowEvent>();

  /** The last command that history knows. */
  get last(): number {
    return this.#last;
  }

  /** Takes in an event that is about to be delivered. */
  load(event: WorkflowEvent): void {
    const { command } = event;
    if (command === null || command <= this.#asked) return;
    if (!this.#first.has(command)) this.#first.set(command, event);
    this.#last = Math.max(this.#last, command);
  }

  /** The code has not come to the command of this event. */
  isAhead({ command }: WorkflowEvent): boolean {
    return command !== null && command > this.#asked;
  }

  /** Numbers the next command, and answers the first event that history has under this number. */
  next(types: readonly EventType[], name: string): Numbered {
    this.#skipMarks(types, name);
    const command = ++this.#asked;
    const recorded = this.#first.get(command);
    if (recorded !== undefined) this.#first.delete(command);
    return { command, recorded };
  }

  /** History goes on, or is over, and not with such a command. */
  goesOnWithout(types: readonly EventType[], name: string): boolean {
    this.#skipMarks(types, name);
    const next = this.#first.get(this.#asked + 1);
    return (this.isOver || this.#last > this.#asked) && (next === undefined || !isAbout(next, types, name));
  }

  /** Passes over a deprecated mark that the code has not asked for in its turn. Marks behind it may be for later turns. */
  passMark(event: WorkflowEvent): void {
    if (event.type !== "VERSION_MARKED" || event.data.deprecated !== true || event.command !== this.#asked + 1) return;
    this.#first.delete(++this.#asked);
  }

  /** Passes over deprecated marks, unless one is what the code asks for. */
  #skipMarks(types: readonly EventType[], name: string): void {
    for (;;) {
      const next = this.#first.get(this.#asked + 1);
      if (next?.type !== "VERSION_MARKED" || next.data.deprecated !== true || isAbout(next, types, name)) return;
      this.#first.delete(++this.#asked);
    }
  }
}

/** Whether an event records such a command. */
export function isAbout(event: WorkflowEvent, types: readonly EventType[], name: string): boolean {
  return types.includes(event.type) && commandName(event) === name;
}
