import { setImmediate as turn } from "node:timers/promises";
import { inspect } from "node:util";
import type { StorageBackend } from "@perdure/core/storage";
import { checkAnswer } from "./check-answer.ts";
import { print } from "./print.ts";
import { wrapVerbs } from "./verbs.ts";

interface Operation {
  readonly client: string;
  readonly verb: string;
  readonly args: readonly unknown[];
  /** Left out while nobody knows. */
  outcome?: { readonly answer: unknown } | { readonly error: unknown };
}

/** The last calls that a case made, as code that can be pasted. */
export class Journal {
  readonly #entries: (Operation | string)[] = [];
  readonly #keep: number;
  #calls = 0;

  constructor(keep = 12) {
    this.#keep = keep;
  }

  /** Opens a client. That is told of as long as it is not over, and when it has failed. */
  async open<T>(options: object, open: () => T | Promise<T>): Promise<T> {
    const opening: Operation = { client: "subject", verb: "open", args: [options] };
    this.#keepOne(opening);
    try {
      const opened = await open();
      const at = this.#entries.indexOf(opening);
      if (at >= 0) this.#entries.splice(at, 1);
      return opened;
    } catch (error) {
      opening.outcome = { error };
      throw error;
    }
  }

  /** A client whose calls are kept. */
  record(client: string, backend: StorageBackend): StorageBackend {
    return wrapVerbs(backend, async (verb, args, call) => {
      const operation: Operation = { client, verb, args };
      this.#keepOne(operation);
      // A backend that never leaves the microtask queue would keep the case's time-out from firing.
      if (++this.#calls % 256 === 0) await turn();
      let answer: unknown;
      try {
        answer = await call();
      } catch (error) {
        operation.outcome = { error };
        throw error;
      }
      operation.outcome = { answer };
      checkAnswer(verb, args, answer);
      return answer;
    });
  }

  /** Something that happened between two calls, as code. */
  note(code: string): void {
    this.#keepOne(code);
  }

  print(): string {
    return this.#entries.map((entry) => (typeof entry === "string" ? entry : printOperation(entry))).join("\n");
  }

  #keepOne(entry: Operation | string): void {
    this.#entries.push(entry);
    if (this.#entries.length > this.#keep) this.#entries.shift();
  }
}

/** A call and what came of it, as code. */
export function printOperation({ client, verb, args, outcome }: Operation): string {
  const call = `await ${client}.${verb}(${args.map((arg) => print(shown(arg))).join(", ")});`;
  if (outcome === undefined) return `${call} // no answer yet`;
  return `${call} // ${"error" in outcome ? `threw ${print(outcome.error)}` : `→ ${print(outcome.answer)}`}`;
}

/** A caller's transaction is an object of a driver: it says nothing in many words, and may know a password. */
function shown(arg: unknown): unknown {
  const { tx } = Object(arg) as { readonly tx?: unknown };
  return typeof tx === "object" && tx !== null ? { ...Object(arg), tx: TRANSACTION } : arg;
}

const TRANSACTION = { [inspect.custom]: () => "tx" };
