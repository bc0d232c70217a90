import { memory } from "@perdure/core/memory";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { ConformanceFailure } from "../../failure.ts";
import { type End, judge } from "../../simulation/judge.ts";
import { type Mode, World, type WorldOptions } from "../../simulation/world.ts";
import { ofSeed, worldsOf } from "./of-seed.ts";

/** From so many seeds on each trouble must have been seen. */
const MANY = 20;
/** One seed in so many is played twice. */
const REPEATED = 10;
/** For the large numbers over a slow store. */
const TIMEOUT_MS = 3_600_000;

/** A stack in a payload, however deep: it depends on how far the machine has compiled the code. */
const STACK = /(\\*)"stack\1":\1".*?(?<!\\)\1"/gsu;

type Open = WorldOptions["open"];

const reference: Open = (clock) => memory({ clock });

export const simulationCases: readonly ConformanceCase[] = [
  {
    id: "model.simulation",
    level: "L5",
    requires: "driven-clock",
    invariants: ["I1", "I2", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I12", "I13", "I14", "I15", "I18"],
    why: "Workers die, stand still and lose their storage in every order: each run must end as if nothing had happened, and as it does elsewhere.",
    hint: "Every choice follows from the seed. Which promise is broken is said first; the calls at the end are those of the failing world.",
    timeoutMs: TIMEOUT_MS,
    async run(t) {
      const replayed = new Set<string>();
      const worlds = worldsOf(t);
      for (let seed = t.seed; seed < t.seed + worlds; seed++) {
        await ofSeed(seed, async () => {
          // Over two seeds, both ways of both: with runs kept in memory and with none, this storage and the reference.
          const [mode, other]: readonly Mode[] = seed % 2 === 0 ? ["sticky", "cold"] : ["cold", "sticky"];
          const ends = await play(t, { seed, mode: mode!, replayed }, under(t, seed));
          const elsewhere = await play(t, { seed, mode: other!, replayed }, reference);
          equal(
            ends,
            elsewhere,
            `runs end as they do over the reference storage, ${mode} here and ${other} there (I14, I29)`,
          );
        });
      }
      if (worlds < MANY) return;
      for (const name of ["commits refused", "renewals refused", "tasks taken from the dead", "executions repeated"])
        check(t.counts.get(name) ?? 0, `there are ${name}: a trouble that never came proves nothing`);
    },
  },
  {
    id: "model.simulation-repeats",
    level: "L5",
    requires: "driven-clock",
    invariants: ["I24"],
    why: "A seed that failed must fail again, or nobody can mend what it found.",
    hint: "Does the store read another clock than the one that it was given, or draw by chance?",
    timeoutMs: TIMEOUT_MS,
    async run(t) {
      for (let seed = t.seed; seed < t.seed + worldsOf(t); seed += REPEATED) {
        await ofSeed(seed, async () => {
          const [once, again] = [await traceOf(t, seed), await traceOf(t, seed)];
          const at = once.findIndex((line, index) => line !== again[index]);
          const [first, second] = fromDifference(once[at] ?? "", again[at] ?? "");
          equal(second, first, `call ${at + 1} of the world is the same the second time`);
          equal(again.length, once.length, "the world has as many calls the second time");
        });
      }
    },
  },
];

/** A store of the subject for a world of its own. */
function under(t: CaseContext, label: number | string): Open {
  return async (clock) => t.openOn(clock, `w${label}`);
}

async function play(
  t: CaseContext,
  { seed, mode, replayed }: { readonly seed: number; readonly mode: Mode; readonly replayed: Set<string> },
  open: Open,
): Promise<readonly End[]> {
  const world = new World({ seed, mode, open });
  try {
    await world.play();
    const ends = await judge(world, seed, replayed);
    const { executions, witness, cast } = world;
    const { commit, renewal } = witness.refused;
    t.count("runs", cast.length);
    t.count("executions", executions.all.length);
    t.count("executions repeated", executions.repeated);
    t.count("commits refused", commit);
    t.count("renewals refused", renewal);
    t.count("tasks taken from the dead", witness.steals);
    return ends;
  } catch (error) {
    throw worded(error, `seed ${seed}, ${mode}: ${[...world.troubles].join(", ") || "no troubles"}`);
  } finally {
    await world.close();
  }
}

function worded(error: unknown, world: string): ConformanceFailure {
  if (!(error instanceof ConformanceFailure))
    return new ConformanceFailure(`the world goes on (${world})`, { expected: "no error", actual: error });
  const values = error.compared ? { expected: error.expected, actual: error.actual } : undefined;
  return new ConformanceFailure(`${error.message} (${world})`, values);
}

async function traceOf(t: CaseContext, seed: number): Promise<readonly string[]> {
  const trace: string[] = [];
  const world = new World({
    seed,
    mode: "sticky",
    open: under(t, seed),
    trace: ({ from, verb, args, answer }, atMs) =>
      void trace.push(`${atMs} ms: ${from} ${verb} ${JSON.stringify([args, answer]).replaceAll(STACK, "")}`),
  });
  try {
    await world.play();
  } finally {
    await world.close();
  }
  return trace;
}

/** Two lines, from a little before the place where they begin to differ. */
function fromDifference(one: string, other: string): readonly [string, string] {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const from = Math.max(0, at - 60);
  return [one.slice(from), other.slice(from)];
}
