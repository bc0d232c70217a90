import { Apart, type Request, type Steps } from "../steps.ts";
import { type Place, type Take, type Wave, Waves } from "./waves.ts";

/** Executes waves in one trip; answers with the results of each wave's steps. */
export type Send = (waves: readonly Wave[]) => Promise<readonly (readonly unknown[])[]>;

/** What a program answered, and the writes that it asked for after its last trip. */
export interface Finished<T> {
  readonly answer: T;
  readonly rest: readonly Wave[];
}

/**
 * Runs a program over a server. Programs apart run side by side: all go on as far as they can without an answer, and what they ask
 * for then is one trip. So a batch of a hundred needs as many trips as one element.
 */
export async function runTogether<T>(program: Steps<T>, send: Send): Promise<Finished<T>> {
  const waves = new Waves();
  const strands = new Strands(waves);
  let finished: { readonly answer: T } | undefined;
  strands.start(program as Steps<unknown>, (answer) => {
    finished = { answer: answer as T };
  });
  for (;;) {
    strands.advance();
    if (finished !== undefined) return { ...finished, rest: waves.take() };
    const sent = waves.take();
    // Each trip needs the answers of the one before.
    const results = await send(sent);
    // What came last is told first: so a program that goes on knows the time.
    for (let at = sent.length - 1; at >= 0; at--) {
      sent[at]!.takers.forEach((taker, step) => taker?.(results[at]![step]));
    }
    strands.tripDone();
  }
}

/** A program under way. */
interface Strand extends Place {
  readonly program: Steps<unknown>;
  readonly done: Take;
}

/** The programs under way, and the answers that they can go on with. */
class Strands {
  readonly #waves: Waves;
  #ready: { readonly strand: Strand; readonly value: unknown }[] = [];
  /** All that are not done, to be told that a trip is over. */
  readonly #alive = new Set<Strand>();

  constructor(waves: Waves) {
    this.#waves = waves;
  }

  start(program: Steps<unknown>, done: Take, wave = -1): void {
    const strand: Strand = { program, done, wave };
    this.#alive.add(strand);
    this.#ready.push({ strand, value: undefined });
  }

  /** Lets every program go on as far as it can. */
  advance(): void {
    while (this.#ready.length > 0) {
      const ready = this.#ready;
      this.#ready = [];
      for (const { strand, value } of ready) this.#goOn(strand, value);
    }
  }

  /** The waves are numbered anew. */
  tripDone(): void {
    for (const strand of this.#alive) strand.wave = -1;
  }

  #goOn(strand: Strand, value: unknown): void {
    let next = strand.program.next(value);
    while (next.done !== true) {
      if (!this.#isWrite(strand, next.value)) return this.#ask(strand, next.value);
      next = strand.program.next();
    }
    this.#alive.delete(strand);
    strand.done(next.value);
  }

  #isWrite(strand: Strand, request: Request): boolean {
    if (!("want" in request) || request.want !== "nothing") return false;
    this.#waves.add(request, strand);
    return true;
  }

  #ask(strand: Strand, request: Request): void {
    const goOn = (value: unknown): void => void this.#ready.push({ strand, value });
    if ("want" in request) return this.#waves.add(request, strand, goOn);
    if (request instanceof Apart) return this.#split(request, strand, goOn);
    const answers = collect(request.length, goOn);
    request.forEach((step, at) => this.#waves.add(step, strand, (answer) => answers(at, answer)));
  }

  /** One strand for each key, in the order of the keys: so transactions lock rows in one order. */
  #split({ elements, keyOf, program }: Apart, strand: Strand, goOn: Take): void {
    const from = strand.wave;
    const answers = collect(elements.length, (results) => {
      strand.wave = Math.max(from, this.#waves.newest);
      goOn(results);
    });
    const byKey = Map.groupBy(elements.keys(), (at) => keyOf(elements[at]));
    for (const key of [...byKey.keys()].toSorted()) {
      this.start(
        (function* () {
          for (const at of byKey.get(key)!) answers(at, yield* program(elements[at]));
        })(),
        () => {},
        from,
      );
    }
  }
}

/** Gathers so many answers. */
function collect(count: number, done: (answers: readonly unknown[]) => void): (at: number, answer: unknown) => void {
  const answers: unknown[] = Array.from({ length: count });
  let missing = count;
  if (missing === 0) done(answers);
  return (at, answer) => {
    answers[at] = answer;
    missing -= 1;
    if (missing === 0) done(answers);
  };
}
