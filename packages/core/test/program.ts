/** Random workflow programs whose output is known beforehand, whatever happens to the workers that run them. */
import { activity } from "../src/define/activity.ts";
import type { WorkflowContext } from "../src/define/context.ts";
import { signal } from "../src/define/signal.ts";
import { workflow } from "../src/define/workflow.ts";
import type { SeededRandom } from "../src/engine/seeded-random.ts";
import { isPerdureError } from "../src/errors/index.ts";

export type Step =
  | { readonly do: "activity"; readonly value: number; readonly fails: number }
  /** Only some workers serve its queue. */
  | { readonly do: "remote"; readonly value: number; readonly fails: number }
  /** Its attempts count on from the newest checkpoint. */
  | { readonly do: "resuming"; readonly pages: number }
  | { readonly do: "remembered"; readonly key: number }
  | { readonly do: "hopeless" }
  | { readonly do: "sleep"; readonly ms: number }
  | { readonly do: "state"; readonly key: string; readonly value: number }
  | { readonly do: "effect"; readonly value: number }
  | { readonly do: "attributes"; readonly value: number }
  /** Somebody outside sends `value` under this name. */
  | { readonly do: "wait"; readonly name: string; readonly value: number }
  | { readonly do: "self"; readonly name: string; readonly value: number }
  | { readonly do: "impatient"; readonly ms: number }
  | { readonly do: "race"; readonly ms: number }
  | { readonly do: "patched"; readonly id: string; readonly value: number }
  | { readonly do: "all"; readonly branches: readonly Program[] }
  | { readonly do: "shield"; readonly program: Program }
  | { readonly do: "child"; readonly program: Program }
  /** The run continues as new: not in a branch. */
  | { readonly do: "continue" }
  /** What earlier generations have put out. */
  | { readonly do: "past"; readonly outputs: readonly unknown[] };

export type Program = readonly Step[];

export class Programmer {
  readonly #random: SeededRandom;
  #names = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  program(depth = 2, length = 1 + this.#int(5)): Program {
    return this.#steps(depth, length, true);
  }

  #steps(depth: number, length: number, mayContinue: boolean): Program {
    return Array.from({ length }, () => (mayContinue && this.#int(8) === 0 ? { do: "continue" } : this.#step(depth)));
  }

  #step(depth: number): Step {
    const value = this.#int(1_000);
    const kinds = depth > 0 ? 18 : 14;
    switch (this.#int(kinds)) {
      case 0:
        return { do: "sleep", ms: this.#int(3_000) };
      case 1:
        return { do: "state", key: `k${this.#int(3)}`, value };
      case 2:
        return { do: "effect", value };
      case 3:
        return { do: "wait", name: this.#name(), value };
      case 4:
        return { do: "self", name: this.#name(), value };
      case 5:
        return { do: "impatient", ms: this.#int(2_000) };
      case 6:
        return { do: "race", ms: this.#int(1_000) };
      case 7:
        return { do: "hopeless" };
      case 8:
        return { do: "attributes", value };
      case 9:
        return { do: "patched", id: `p${this.#int(3)}`, value };
      case 10:
        return { do: "remote", value, fails: Math.max(0, this.#int(4) - 2) };
      case 11:
        return { do: "resuming", pages: 1 + this.#int(3) };
      case 12:
        return { do: "remembered", key: this.#int(4) };
      case 14:
        return {
          do: "all",
          branches: Array.from({ length: 2 + this.#int(2) }, () => this.#steps(depth - 1, 1 + this.#int(3), false)),
        };
      case 15:
        return { do: "shield", program: this.#steps(depth - 1, 1 + this.#int(5), false) };
      case 16:
        return { do: "child", program: this.program(depth - 1) };
      default:
        return { do: "activity", value, fails: Math.max(0, this.#int(5) - 2) };
    }
  }

  #name(): string {
    return `s${this.#names++}`;
  }

  #int(below: number): number {
    return Math.floor(this.#random.next() * below);
  }
}

/** What the program returns. */
export function outputOf(program: Program): unknown[] {
  return program.map((step): unknown => {
    switch (step.do) {
      case "activity":
      case "remote":
        return [step.value, step.fails + 1];
      case "resuming":
        return step.pages;
      case "remembered":
        return `result ${step.key}`;
      case "hopeless":
        return "activity-failed 2";
      case "sleep":
      case "attributes":
      case "continue":
        return null;
      case "past":
        throw new Error("Nobody writes the past.");
      case "state":
      case "effect":
      case "wait":
      case "self":
      case "patched":
        return step.value;
      case "impatient":
        return "timed-out";
      case "race":
        return "short";
      case "all":
        return step.branches.map(outputOf);
      case "shield":
      case "child":
        return outputOf(step.program);
    }
  });
}

/** Signals that the program waits for, its children's not included. */
export function signalsOf(program: Program): readonly { readonly name: string; readonly value: number }[] {
  return program.flatMap((step) => {
    if (step.do === "wait") return [step];
    if (step.do === "shield") return signalsOf(step.program);
    return step.do === "all" ? step.branches.flatMap(signalsOf) : [];
  });
}

/** Signals that the program's children wait for would need their ids: a child gets none. */
function withoutWaits(program: Program): Program {
  return program.map((step): Step => {
    if (step.do === "wait") return { do: "self", name: step.name, value: step.value };
    if (step.do === "all") return { ...step, branches: step.branches.map(withoutWaits) };
    return step.do === "child" || step.do === "shield" ? { ...step, program: withoutWaits(step.program) } : step;
  });
}

const retry = { maximumAttempts: 4, delay: ["500ms", "1s"], jitter: 0.2 } as const;

const work = activity(
  { name: "work", retry, timeout: "1m" },
  async (step: { value: number; fails: number }, { attempt }) => {
    if (attempt <= step.fails) throw new Error(`attempt ${attempt}`);
    return [step.value, attempt];
  },
);

/** Code of queue `remote`, and of those that no slot is found for. */
const remote = activity(
  { name: "remote", queue: "remote", retry, timeout: "1m" },
  (step: { value: number; fails: number }, context) => work.execute(step as never, context),
);

/** Reads one page in each attempt. */
const resuming = activity(
  { name: "resuming", queue: "remote", retry: { maximumAttempts: 10, delay: 300 } },
  async (pages: number, { lastCheckpoint, checkpoint }) => {
    const read = ((lastCheckpoint as number | undefined) ?? 0) + 1;
    if (read >= pages) return pages;
    await checkpoint(read);
    throw new Error(`${pages - read} pages are left`);
  },
);

const remembered = activity(
  { name: "remembered", cache: { key: (key: number) => `${key}`, ttl: "5s" } },
  async (key: number) => `result ${key}`,
);

export const activities = [work, remote, resuming, remembered];

const hopeless = activity({ name: "hopeless", retry: { maximumAttempts: 2, delay: 300 } }, async () => {
  throw new RangeError("always");
});

type Context = WorkflowContext<Record<string, unknown>, Program>;

/** Has the run continue as new: with what it has put out so far, and what comes after this step. */
type GoOn = (outputs: readonly unknown[], at: number) => Promise<never>;

export const interpreter = workflow({
  name: "interpreter",
  state: { initial: {} as Record<string, unknown> },
  steps: (step) => [
    step("first", (ctx, program: Program) => part(ctx, "first", [], program.slice(0, 2), program.slice(2))),
    step("rest", (ctx, program: Program) => part(ctx, "rest", outputsOf(ctx, "first"), program.slice(2), [])),
  ],
  output: (ctx): unknown[] => [...outputsOf(ctx, "first"), ...outputsOf(ctx, "rest")],
});

function outputsOf({ state }: Pick<Context, "state">, part: string): readonly unknown[] {
  return state.get(part) as unknown[];
}

async function part(
  ctx: Context,
  name: string,
  before: readonly unknown[],
  program: Program,
  after: Program,
): Promise<void> {
  const goOn: GoOn = (outputs, at) =>
    ctx.continueAsNew([{ do: "past", outputs: [...before, ...outputs, null] }, ...program.slice(at + 1), ...after]);
  try {
    ctx.state.set(name, await interpret(ctx, program, goOn));
  } catch (error) {
    if (isPerdureError(error, "cancelled")) await ctx.run("clean up", () => null);
    throw error;
  }
}

async function interpret(ctx: Context, program: Program, goOn: GoOn = stayInBranch): Promise<unknown[]> {
  const outputs: unknown[] = [];
  for (const [at, step] of program.entries()) {
    if (step.do === "past") outputs.push(...step.outputs);
    else if (step.do === "continue") return goOn(outputs, at);
    else outputs.push(await perform(ctx, step));
  }
  return outputs;
}

function stayInBranch(): never {
  throw new Error("A branch does not continue as new.");
}

async function perform(ctx: Context, step: Step): Promise<unknown> {
  switch (step.do) {
    case "activity":
      return ctx.run(work, step);
    case "remote":
      return ctx.run(remote, step);
    case "resuming":
      return ctx.run(resuming, step.pages);
    case "remembered":
      return ctx.run(remembered, step.key);
    case "hopeless":
      return ctx.run(hopeless, undefined).catch((error: unknown) => {
        if (!isPerdureError(error, "activity-failed")) throw error;
        return `${error.code} ${error.attempts}`;
      });
    case "sleep":
      await ctx.sleep(step.ms);
      return null;
    case "state":
      ctx.state.set(step.key, step.value);
      return ctx.state.get(step.key);
    case "effect":
      return ctx.sideEffect("effect", () => step.value);
    case "attributes":
      ctx.attributes.set({ value: step.value });
      return null;
    case "wait":
      return ctx.waitFor(signal<number>(step.name));
    case "self":
      await ctx.signal(ctx.runId, signal<number>(step.name), step.value);
      return ctx.waitFor(signal<number>(step.name));
    case "impatient":
      return ctx.waitFor(signal("never"), { timeout: step.ms }).catch((error: unknown) => {
        if (!isPerdureError(error, "timed-out")) throw error;
        return error.code;
      });
    case "race":
      return Promise.race([ctx.sleep("1h").then(() => "long"), ctx.sleep(step.ms).then(() => "short")]);
    case "all":
      return Promise.all(step.branches.map((branch) => interpret(ctx, branch)));
    case "patched":
      return ctx.patched(step.id) ? ctx.run("patched", () => step.value) : null;
    case "shield":
      return ctx.shield(() => interpret(ctx, step.program));
    case "child":
      return ctx.child(interpreter, withoutWaits(step.program));
    case "continue":
    case "past":
      throw new Error("A branch does not continue as new.");
  }
}
