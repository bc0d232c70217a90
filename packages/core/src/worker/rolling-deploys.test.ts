import { describe, expect, it } from "vitest";
import { type TestedEnvironment, environment } from "../../test/environment.ts";
import { pass, running, type RunningWorker } from "../../test/workers.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import type { WorkflowContext } from "../define/context.ts";
import { SeededRandom } from "../engine/seeded-random.ts";
import { exportHistory, replayHistory } from "../testing.ts";

const SEEDS = Number(process.env["PERDURE_SIMULATIONS"] ?? 12);
const STORM_MS = 12_000;

type Step =
  | { readonly do: "work"; readonly ms: number }
  | { readonly do: "sleep"; readonly ms: number }
  /** Code that a deploy brings. */
  | { readonly do: "patch"; readonly id: string; readonly ms: number }
  | { readonly do: "all"; readonly branches: readonly Program[] };
type Program = readonly Step[];

/** Draws random programs, whose patches all have names of their own. */
class Programmer {
  readonly #int: (below: number) => number;
  #patches = 0;

  constructor(int: (below: number) => number) {
    this.#int = int;
  }

  program(depth = 2): Program {
    return Array.from({ length: 1 + this.#int(3) }, () => this.#step(depth));
  }

  #step(depth: number): Step {
    const ms = this.#int(1_500);
    switch (this.#int(depth > 0 ? 5 : 4)) {
      case 0:
        return { do: "work", ms };
      case 1:
        return { do: "sleep", ms };
      case 4:
        return { do: "all", branches: [1, 2, 3].map(() => this.program(depth - 1)) };
      default:
        return { do: "patch", id: `p${this.#patches++}`, ms };
    }
  }
}

/** The same workflow before its patches, with them, with them deprecated, and without the code before. */
const DEPLOYS: readonly ((ctx: WorkflowContext, id: string) => boolean)[] = [
  () => false,
  (ctx, id) => ctx.patched(id),
  (ctx, id) => {
    ctx.deprecatePatch(id);
    return true;
  },
  () => true,
];

function deployed(deploy: number, work: (ms: number) => Promise<void>): AnyWorkflow {
  const isNew = DEPLOYS[deploy]!;
  const perform = async (ctx: WorkflowContext, program: Program): Promise<void> => {
    for (const step of program) {
      if (step.do === "work") await ctx.run("work", () => work(step.ms));
      else if (step.do === "sleep") await ctx.sleep(step.ms);
      else if (step.do === "all") await Promise.all(step.branches.map((branch) => perform(ctx, branch)));
      else if (isNew(ctx, step.id)) await ctx.run(`new ${step.id}`, () => work(step.ms));
    }
  };
  return workflow({ name: "program" }, async (ctx, [program, next]: readonly [Program, Program?]): Promise<string> => {
    await perform(ctx as never, program);
    return next === undefined ? "done" : ctx.continueAsNew([next]);
  });
}

/** Workers of two neighbouring deploys come and go, then one remains: of the newer one, or of any that knows of the patches. */
async function storm(older: number, seed: number): Promise<readonly [TestedEnvironment, AnyWorkflow]> {
  const random = new SeededRandom(`deploys ${older} ${seed}`);
  const int = (below: number): number => Math.floor(random.next() * below);
  const env = environment({ workflows: [], replays: false });
  const work = (ms: number): Promise<void> => new Promise((resolve) => void env.runtime.after(ms, resolve));
  const workers: RunningWorker[] = [];
  const hire = (deploy: number): void => {
    const options = { workflows: [deployed(deploy, work)], lease: 1_000, maxDeliveries: 1_000 };
    workers.push(running(env, { ...options, cacheRuns: [0, 1_000][int(2)]! }));
  };
  const programmer = new Programmer(int);
  for (let n = 0; n < 5; n++) {
    const programs = [programmer.program(), programmer.program()].slice(int(2));
    env.runtime.after(int(3_000), () => void env.client.start(deployed(older, work), programs, { id: `run-${n}` }));
  }
  for (let n = 0; n < 2; n++) hire(older);
  for (let ms = 500; ms < STORM_MS; ms += 500) {
    env.runtime.after(ms, () => {
      const [worker] = workers.splice(int(workers.length), 1);
      if (int(3) > 0) worker!.kill();
      else void worker!.worker.stop({ grace: 0 });
      hire(older + (ms > 1_500 ? int(2) : 0));
    });
  }
  await pass(env, STORM_MS);
  for (const { kill } of workers) kill();
  const last = older === 0 ? 1 : older + int(2);
  hire(last);
  await pass(env, "5m");
  return [env, deployed(last, work)];
}

describe.each([0, 1, 2])("workers of deploys %i and the next share runs", (older) => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    "seed %i: every run does all that its code says, and replays (I9, I14)",
    { timeout: 30_000 },
    async (seed) => {
      const [env, definition] = await storm(older, seed);
      const { runs } = await env.client.list();
      expect(runs.map(({ status }) => status)).toEqual(runs.map(() => "completed"));
      for (const { runId } of runs) {
        const exported = await exportHistory(env.storage, runId);
        await replayHistory(definition, exported, { prefixes: exported.events.length < 80 });
      }
    },
  );
});
