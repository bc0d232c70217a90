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
  answer?: unknown;
  error?: unknown;
  pending: boolean;
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
    const opening: Operation = { client: "subject", verb: "open", args: [options], pending: true };
    this.#keepOne(opening);
    try {
      const opened = await open();
      const at = this.#entries.indexOf(opening);
      if (at >= 0) this.#entries.splice(at, 1);
      return opened;
    } catch (error) {
      opening.error = error;
      throw error;
    } finally {
      opening.pending = false;
    }
  }

  /** A client whose calls are kept. */
  record(client: string, backend: StorageBackend): StorageBackend {
    return wrapVerbs(backend, async (verb, args, call) => {
      const operation: Operation = { client, verb, args, pending: true };
      this.#keepOne(operation);
      // A backend that never leaves the microtask queue would keep the case's time-out from firing.
      if (++this.#calls % 256 === 0) await turn();
      try {
        operation.answer = await call();
      } catch (error) {
        operation.error = error;
        throw error;
      } finally {
        operation.pending = false;
      }
      checkAnswer(verb, args, operation.answer);
      return operation.answer;
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
export function printOperation({ client, verb, args, answer, error, pending }: Operation): string {
  const call = `await ${client}.${verb}(${args.map((arg) => print(shown(arg))).join(", ")});`;
  if (pending) return `${call} // no answer yet`;
  return `${call} // ${error === undefined ? `→ ${print(answer)}` : `threw ${print(error)}`}`;
}

/** A caller's transaction is an object of a driver: it says nothing in many words, and may know a password. */
function shown(arg: unknown): unknown {
  const { tx } = Object(arg) as { readonly tx?: unknown };
  return typeof tx === "object" && tx !== null ? { ...Object(arg), tx: TRANSACTION } : arg;
}

const TRANSACTION = { [inspect.custom]: () => "tx" };
