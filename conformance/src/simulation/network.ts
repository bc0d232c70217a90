import type { Runtime } from "@perdure/core";
import { type StorageBackend, StorageError, type Subscription, type Topic } from "@perdure/core/storage";
import type { Random } from "../random.ts";
import { type Verb, wrapVerbs } from "../verbs.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Trouble } from "./troubles.ts";

type Answer = { readonly value: unknown } | { readonly error: unknown };

/** One call, in the order in which the store carries them out. */
export interface Exchange {
  readonly from: string;
  readonly verb: Verb | "subscribe";
  readonly args: readonly unknown[];
  readonly answer: Answer;
}

/** A request that has reached the store. */
interface Request extends Omit<Exchange, "answer"> {
  readonly call: () => Promise<unknown>;
  readonly times: number;
  readonly reply: (answer: Answer) => void;
}

interface NetworkOptions {
  readonly storage: StorageBackend;
  readonly runtime: Runtime;
  readonly random: Random;
  readonly troubles: ReadonlySet<Trouble>;
  /** Is told of each call right after the store has carried it out. */
  readonly witness: (exchange: Exchange) => void;
}

const DELAYS_MS = [20, 200, 500, 5_000];

/**
 * What lies between processes and their store. Only when the world says so it has requests carried out, one after the other in an order
 * that chance decides, and then brings the answers: so a seed has one trace, whatever the store itself waits for.
 */
export class Network {
  readonly #options: NetworkOptions;
  #requests: Request[] = [];
  /** Answers and hints on their way back. */
  #returning: (() => void)[] = [];
  #calm = false;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** From now on every call is answered, at once and once. */
  calm(): void {
    this.#calm = true;
  }

  /** The store, as a process reaches it. */
  connect(process: SimulatedProcess): StorageBackend {
    const { storage } = this.#options;
    const connected = wrapVerbs(storage, (verb, args, call) => this.#send(process, verb, args, call));
    if (storage.subscribe === undefined) return connected;
    return { ...connected, info: storage.info, subscribe: (onWake) => this.#subscribe(process, onWake) };
  }

  /** Carries out what has reached the store. Answers whether there was anything. */
  async work(): Promise<boolean> {
    const requests = this.#options.random.shuffle(this.#requests);
    this.#requests = [];
    for (const request of requests) {
      const answer = await this.#carryOut(request);
      this.#returning.push(() => request.reply(answer));
    }
    const returning = this.#returning;
    this.#returning = [];
    for (const deliver of returning) deliver();
    return returning.length > 0;
  }

  #send(process: SimulatedProcess, verb: Verb, args: readonly unknown[], call: Request["call"]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer): void =>
        process.go(() => ("error" in answer ? reject(answer.error as Error) : resolve(answer.value)));
      if (this.#happens("fail before", 40)) return this.#later("late reply", () => settle({ error: lost(verb) }));
      const isReplyLost = this.#happens("reply lost", 40);
      const request: Request = {
        from: process.name,
        verb,
        args,
        call,
        times: this.#happens("request twice", 40) ? 2 : 1,
        reply: (answer) => this.#later("late reply", () => settle(isReplyLost ? { error: lost(verb) } : answer)),
      };
      // What is killed has sent a request, or has not.
      process.go(() => this.#later("late request", () => void this.#requests.push(request)));
    });
  }

  #subscribe(process: SimulatedProcess, onWake: (topic: Topic) => void): Promise<Subscription> {
    const { storage } = this.#options;
    const call = (): Promise<Subscription> =>
      storage.subscribe!((topic) => void this.#returning.push(() => this.#hint(process, () => onWake(topic))));
    return new Promise((resolve) => {
      const reply = (answer: Answer): void =>
        process.go(() => "value" in answer && resolve(answer.value as Subscription));
      this.#requests.push({ from: process.name, verb: "subscribe", args: [], call, times: 1, reply });
    });
  }

  #hint(process: SimulatedProcess, wake: () => void): void {
    if (this.#happens("hint lost", 4)) return;
    for (let times = this.#happens("hint twice", 4) ? 2 : 1; times > 0; times--) {
      this.#later("late hint", () => process.go(wake));
    }
  }

  async #carryOut({ from, verb, args, call, times }: Request): Promise<Answer> {
    let answer: Answer;
    for (let time = 1; ; time++) {
      try {
        answer = { value: await call() };
      } catch (error) {
        answer = { error };
      }
      this.#options.witness({ from, verb, args, answer });
      if (time === times) return answer;
    }
  }

  #later(trouble: "late request" | "late reply" | "late hint", fn: () => void): void {
    if (this.#happens(trouble, 15)) this.#options.runtime.after(this.#options.random.pick(DELAYS_MS), fn);
    else fn();
  }

  /** Whether a trouble comes that comes once in so many times. */
  #happens(trouble: Trouble, times: number): boolean {
    const { random, troubles } = this.#options;
    return !this.#calm && troubles.has(trouble) && random.int(times) === 0;
  }
}

function lost(verb: Verb): StorageError {
  return new StorageError("unavailable", `No answer to ${verb}: an injected fault. Repeat the call.`);
}
