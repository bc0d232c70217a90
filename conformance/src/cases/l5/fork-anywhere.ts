import { type RunHandle, signal } from "@perdure/core";
import { virtualClock } from "@perdure/core/memory";
import { createTestEnvironment, type TestEnvironment } from "@perdure/core/testing";
import { equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { Random } from "../../random.ts";
import { simulatedActivities } from "../../simulation/activities.ts";
import { Executions } from "../../simulation/executions.ts";
import { outputOf, signalsOf } from "../../simulation/expected.ts";
import { interpreterOf } from "../../simulation/interpreter.ts";
import type { Program } from "../../simulation/program.ts";
import { Programmer } from "../../simulation/programmer.ts";
import { checkRun } from "../l2/check-run.ts";
import { ofSeed, worldsOf } from "./of-seed.ts";

/** One seed in so many is played: a fork from every place takes long. */
const EVERY = 20;
/** A place's number, past which nobody forks a fork. */
const PLACES = 40;

export const forkAnywhere: ConformanceCase = {
  id: "model.fork-anywhere",
  level: "L5",
  requires: "driven-clock",
  invariants: ["I12", "I14"],
  why: "Whoever mends a run forks it from the place before the trouble, wherever that is: what was done before stays done, and the rest is done.",
  hint: "Does a fork read all that was copied, page for page, before its code goes on?",
  timeoutMs: 3_600_000,
  async run(t) {
    for (let seed = t.seed; seed < t.seed + worldsOf(t); seed += EVERY)
      for (const cacheRuns of [1_000, 0]) await ofSeed(seed, () => forkEverywhere(t, seed, cacheRuns));
  },
};

/** Forks a run from every place of its history, and the fork in the middle from every place of its own. */
async function forkEverywhere(t: CaseContext, seed: number, cacheRuns: number): Promise<void> {
  const program = new Programmer(new Random(seed, "fork")).program(2, 4);
  const clock = virtualClock();
  const storage = await t.openOn(clock, `f${seed}c${cacheRuns}`);
  const limits = { ...storage.info.limits, eventsPerCommit: 4, eventPage: 5 };
  const env: TestEnvironment = createTestEnvironment({
    workflows: [],
    clock,
    storage: { ...storage, info: { ...storage.info, limits } },
    seed: `fork ${seed}`,
    logger: SILENT,
  });
  const activities = simulatedActivities({
    by: "worker",
    runtime: { after: (...args) => env.runtime.after(...args) },
    now: () => clock.now(),
    executions: new Executions(),
  });
  const interpreter = interpreterOf(activities);
  // What finds no slot goes out as a task, and comes back to this worker.
  await env.restart({
    workflows: [interpreter],
    activities: Object.values(activities),
    queues: ["default", "remote"],
    concurrency: { runs: 100, activities: 2 },
    cacheRuns,
  });
  try {
    const run = await env.client.start(interpreter, program);
    await env.skip(500);
    await feed(run, program, []);
    await settle(env, run, program);
    const forks = await forksOf(env, run, program);
    const middle = forks[Math.floor(forks.length / 2)]!;
    await forksOf(env, middle, program);
    t.count("forks", forks.length);
    const { items } = await storage.listRuns({ limit: 1_000 });
    const replayed = new Set<string>();
    const definitions = new Map([[interpreter.name, interpreter]]);
    for (const { runId } of items) {
      const record = { run: (await storage.getRun(runId))!, history: await env.client.handle(runId).history() };
      await checkRun(record, { storage, definitions, random: new Random(seed), replayed });
    }
  } finally {
    await env.close();
    await storage.close();
  }
}

async function forksOf(env: TestEnvironment, run: RunHandle, program: Program): Promise<readonly RunHandle[]> {
  const history = await run.history();
  const forks: RunHandle[] = [];
  for (let beforeSeq = 2; beforeSeq <= Math.min(history.length, PLACES); beforeSeq++) {
    const fork = await run.fork({ beforeSeq });
    await feed(fork, program, history.slice(0, beforeSeq - 1));
    forks.push(fork);
  }
  for (const fork of forks) await settle(env, fork, program);
  return forks;
}

/** Sends the signals that the run waits for; those that are in its history already count once. */
async function feed(
  run: RunHandle,
  program: Program,
  history: readonly { readonly data: { readonly id?: string } | object }[],
): Promise<void> {
  const received = new Set(history.map(({ data }) => ("id" in data ? data.id : undefined)));
  for (const { name, values } of signalsOf(program)) {
    for (const [at, value] of values.entries()) {
      const id = `${name} ${at}`;
      if (!received.has(`signal:${id}`)) await run.signal(signal<number>(name), value, { id });
    }
  }
}

/** All within the hour that the longest timers take: those keep their time, while a fork may begin others anew. */
async function settle(env: TestEnvironment, run: RunHandle, program: Program): Promise<void> {
  if ((await run.describe()).closedAt === null) await env.skip("10m");
  equal(await run.status(), "completed", `run "${run.runId}" completes (I9)`);
  equal(await run.result(), outputOf(program), `run "${run.runId}" has the output of its program (I12)`);
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
