import type { Step } from "../steps.ts";

/** Takes the result of a step. */
export type Take = (result: unknown) => void;

/** Executions of one query that wait for the same trip. */
export interface Wave {
  readonly steps: Step[];
  /** Who waits for the result of each. */
  readonly takers: (Take | undefined)[];
}

/** Where a program stands among the waves: what it asks for next is not executed before. */
export interface Place {
  wave: number;
}

/**
 * What is to be executed in one trip. Equal queries of programs that run side by side become one wave, so that they can be one
 * statement; what one program asks for keeps its order.
 */
export class Waves {
  #waves: Wave[] = [];
  /** Those that come after all others. */
  #last: Wave[] = [];

  /** The place of the newest one; -1 if there is none. */
  get newest(): number {
    return this.#waves.length - 1;
  }

  add(step: Step, place: Place, taker?: Take): void {
    if (step.isLast === true) return this.#addLast(step, taker);
    const at = this.#find(step, place.wave);
    const wave = this.#waves[at]!;
    wave.steps.push(step);
    wave.takers.push(taker);
    place.wave = at;
  }

  /** The same question once for all who ask it. */
  #addLast(step: Step, taker?: Take): void {
    const same = this.#last.find(({ steps: [other] }) => isSame(other!, step));
    if (same === undefined) {
      this.#last.push({ steps: [step], takers: [taker] });
      return;
    }
    const [others] = same.takers;
    same.takers[0] = (result) => {
      others?.(result);
      taker?.(result);
    };
  }

  /** All of them; from now on there are none. */
  take(): readonly Wave[] {
    const waves = [...this.#waves, ...this.#last];
    this.#waves = [];
    this.#last = [];
    return waves;
  }

  #find({ query, want }: Step, from: number): number {
    for (let at = Math.max(from, 0); at < this.#waves.length; at++) {
      const [first] = this.#waves[at]!.steps;
      if (first!.query === query && first!.want === want) return at;
    }
    return this.#waves.push({ steps: [], takers: [] }) - 1;
  }
}

/** Whether two steps ask for the same, which nobody tells apart by arguments. */
function isSame(a: Step, b: Step): boolean {
  return a.query === b.query && a.want === b.want && Object.keys({ ...a.args, ...b.args }).length === 0;
}
