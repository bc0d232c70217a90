import fc from "fast-check";
import { check } from "../assert.ts";
import type { CaseContext } from "../context.ts";
import { ConformanceFailure } from "../failure.ts";
import { printError } from "../print.ts";
import { within } from "../within.ts";
import { KeptFailures } from "./kept-failures.ts";

/** So many inputs are tried at a time over a server, which works for several clients at once. */
const LANES = 4;
/** One input that takes longer hangs. */
const INPUT_MS = 30_000;
/** So long is looked for a simpler failure, once there is one; and as long again for one of fewer parts. */
const SHRINK_MS = 20_000;

export interface Search<T> {
  readonly caseId: string;
  /** An input consists of parts, each of which may be left out. */
  readonly inputs: fc.Arbitrary<readonly T[]>;
  readonly runs: number;
  /** Whether an input that failed fails again, so that it can be made simpler. */
  readonly repeatable: boolean;
  /** Tries one input on a store of its own. Answers normally if all is well. */
  readonly play: (t: CaseContext, input: readonly T[]) => Promise<void>;
}

interface Found<T> {
  readonly input: readonly T[];
  readonly error: unknown;
  readonly calls: string;
}

/**
 * Looks for an input that fails: first among those that failed before, then at random. Over a server several are tried at a time, until one
 * fails.
 * @throws ConformanceFailure about the simplest that was found, with the calls that lead to it
 */
export async function search<T>(t: CaseContext, { caseId, inputs, runs, repeatable, play }: Search<T>): Promise<void> {
  const kept =
    t.chances.failures === undefined ? undefined : new KeptFailures<readonly T[]>(t.chances.failures, caseId);
  const examples = ((await kept?.read()) ?? []).map((input): [readonly T[]] => [input]);
  let found: Found<T> | undefined;
  let foundIn: number | undefined;
  let until = Infinity;

  async function holds(lane: number, input: readonly T[]): Promise<boolean> {
    if (performance.now() > until || (foundIn ?? lane) !== lane) return true;
    const failure = await tryOne(t, input, play);
    if (failure === undefined || (foundIn ?? lane) !== lane) return true;
    if (found === undefined) until = performance.now() + SHRINK_MS;
    foundIn = lane;
    found = failure;
    return false;
  }

  const lanes = t.subject.server === undefined ? 1 : LANES;
  const results = await Promise.all(
    Array.from({ length: lanes }, (_, lane) => {
      const mine = lane === 0 ? examples : [];
      const numRuns = Math.ceil((runs - lane) / lanes) + mine.length;
      const property = fc.asyncProperty(inputs, (input) => holds(lane, input));
      return fc.check(property, { seed: t.random.int(2 ** 31), numRuns, examples: mine, endOnFailure: !repeatable });
    }),
  );
  const tried = results.reduce((sum, { numRuns }) => sum + numRuns, 0);
  t.count("random inputs", tried);
  if (examples.length > 0) t.count("of them kept from before", examples.length);
  check(tried > 0, "at least one input is tried");
  const result = results.find(({ failed }) => failed);
  if (result === undefined) return;
  if (found === undefined) throw result.errorInstance;
  until = performance.now() + SHRINK_MS;
  if (repeatable) await shorten(found.input, (input) => holds(foundIn!, input));
  throw explained(found, {
    ...(kept && { kept: await keep(kept, found.input) }),
    found: `after ${tried} inputs; fast-check seed ${result.seed}, path "${result.counterexamplePath}"`,
  });
}

/** Says where; a folder that cannot be written to must not hide what was found. */
async function keep<T>(kept: KeptFailures<readonly T[]>, input: readonly T[]): Promise<string> {
  try {
    await kept.add(input);
    return `in ${kept.path}: it is tried first from now on`;
  } catch (error) {
    return `nowhere: ${printError(error)}`;
  }
}

/** Leaves out what the failure does not need, from the end to the beginning. */
async function shorten<T>(input: readonly T[], holds: (shorter: readonly T[]) => Promise<boolean>): Promise<void> {
  let shortest = input;
  for (let index = input.length - 1; index >= 0; index--) {
    const shorter = shortest.filter((_, other) => other !== index);
    if (!(await holds(shorter))) shortest = shorter;
  }
}

/** Plays on a store of its own, which is removed. */
async function tryOne<T>(t: CaseContext, input: readonly T[], play: Search<T>["play"]): Promise<Found<T> | undefined> {
  const fresh = t.fresh();
  let found: Found<T> | undefined;
  const tried = async (work: () => Promise<void>): Promise<void> => {
    try {
      await within(INPUT_MS, "the input is answered", work);
    } catch (error) {
      found ??= { input, error, calls: fresh.journal.print() };
    }
  };
  await tried(async () => {
    await fresh.start();
    await play(fresh, input);
  });
  await tried(() => fresh.end());
  for (const [name, count] of fresh.counts) t.count(name, count);
  return found;
}

function explained({ error, calls }: Found<unknown>, notes: Readonly<Record<string, string>>): ConformanceFailure {
  if (error instanceof ConformanceFailure) return error.with({ calls: error.calls ?? calls, notes });
  const failure = new ConformanceFailure(`no call throws ${printError(error)}`, undefined, { calls, notes });
  failure.cause = error;
  return failure;
}
