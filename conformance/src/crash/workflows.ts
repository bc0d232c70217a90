import { setTimeout as sleep } from "node:timers/promises";
import {
  type Activity,
  type ActivityContext,
  type Signal,
  type Workflow,
  type WorkflowContext,
  activity,
  signal,
  workflow,
} from "@perdure/core";
import type { Ledger } from "./ledger.ts";

/** Whoever executes activities. */
export interface Performer {
  readonly ledger: Ledger;
  /** The worker's name. */
  readonly by: string;
  /** Stops this process until somebody lets it go on, the first time that it is asked for this key by any process. */
  readonly freeze?: (run: string, key: string) => void;
}

interface Work {
  readonly value: number;
  /** How long an attempt takes. */
  readonly ms: number;
  /** So many attempts fail first. */
  readonly failures?: number;
}

/** What an activity answers: the value, and which execution it came from. */
export interface Done {
  readonly value: number;
  readonly execution: string;
}

/** What a run of {@link LabWorkflows.everything} does, and what its result follows from. */
export interface Plan {
  readonly value: number;
  readonly steps: number;
  readonly ms: number;
}

export interface Outcome {
  readonly steps: readonly number[];
  readonly parts: readonly number[];
  readonly signals: readonly string[];
  readonly child: number;
  readonly compensated: number;
}

export interface Progress {
  readonly steps: number;
  readonly phase: string;
}

/** What is left of a plan, and what came of it so far. */
interface Round extends Plan {
  readonly sum?: number;
}

interface Tally {
  readonly steps: number;
  readonly sum: number;
}

export interface LabWorkflows {
  /** Every primitive. Takes two signals. */
  readonly everything: Workflow<Plan, Outcome, Progress>;
  /** Activities, one after the other, in two steps. */
  readonly pipeline: Workflow<Plan, number, Tally>;
  /** Activities, one in each generation. */
  readonly endless: Workflow<Plan, number, Tally>;
  /** What {@link everything} starts as a child. */
  readonly errand: Workflow<Work, number, Record<string, never>>;
  /** Activities that go out as tasks, side by side. */
  readonly delegating: Workflow<Plan, number, Record<string, never>>;
  /** An activity in the middle of which the process is stopped. */
  readonly freezing: Workflow<Plan, number, Record<string, never>>;
}

export const go: Signal<string> = signal<string>("go");

/** The queue of {@link remoteActivity}. */
export const REMOTE_QUEUE = "remote";
export const REMOTE = "remote";
/** How many checkpoints an execution of it leaves. */
const CHUNKS = 3;

export function expectedOutcome({ value, steps }: Plan): Outcome {
  return {
    steps: Array.from({ length: steps }, (_, step) => value + step + 1),
    parts: [value + 11, value + 21, value + 31],
    signals: ["first", "second"],
    child: value + 101,
    compensated: value - 1 + 1,
  };
}

/** The first of the tasks is tried twice. */
export function expectedDelegated({ value, steps }: Plan): number {
  return Array.from({ length: steps }, (_, index) => value + index + 1).reduce((sum, part) => sum + part, 0);
}

export function expectedSum({ value, steps }: Plan): number {
  return Array.from({ length: steps }, (_, step) => value + step + 1).reduce((sum, step) => sum + step, 0);
}

/** The lab's workflows, their activities executed by one worker. */
export function labWorkflows(performer: Performer): LabWorkflows {
  const step = labActivity(performer, "step");
  const part = labActivity(performer, "part");
  const hopeless = labActivity(performer, "hopeless");
  const undo = labActivity(performer, "undo");
  const freeze = labActivity(performer, "freeze");
  const remote = remoteActivity(performer);
  const retry = { maximumAttempts: 3, delay: 15 };

  const errand = workflow({ name: "errand" }, async (ctx, work: Work) => {
    const { value } = await ctx.run(step, work);
    await ctx.sleep(5);
    return value;
  });

  const addUp = async (ctx: WorkflowContext<Tally>, { value, ms }: Plan, from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at++) {
      const done = await ctx.run(step, { value: value + at, ms });
      ctx.state.update(({ sum }) => ({ steps: at + 1, sum: sum + done.value }));
    }
  };

  const pipeline = workflow({
    name: "pipeline",
    state: { initial: { steps: 0, sum: 0 } as Tally },
    steps: (named) => [
      named("first half", (ctx, plan: Plan) => addUp(ctx, plan, 0, plan.steps >> 1)),
      named("second half", (ctx, plan: Plan) => addUp(ctx, plan, plan.steps >> 1, plan.steps)),
    ],
    output: (ctx, _plan: Plan) => ctx.state.get("sum"),
  });

  const everything = workflow(
    { name: "everything", state: { initial: { steps: 0, phase: "steps" } as Progress } },
    async (ctx, { value, steps: count, ms }: Plan): Promise<Outcome> => {
      const steps: number[] = [];
      for (let at = 0; at < count; at++) {
        steps.push((await ctx.run(step, { value: value + at, ms })).value);
        ctx.state.set("steps", at + 1);
      }
      ctx.state.set("phase", "parts");
      const parts = await Promise.all([
        ctx.run(part, { value: value + 10, ms }),
        ctx.run(part, { value: value + 20, ms, failures: 1 }, { retry }),
        ctx.run(part, { value: value + 30, ms: ms * 2 }),
      ]);
      await ctx.sleep(20);
      const signals = [await ctx.waitFor(go)];
      const child = await ctx.child(errand, { value: value + 100, ms }, { queue: ctx.info.queue });
      const compensated = await ctx
        .run(hopeless, { value, ms, failures: Infinity }, { retry: { ...retry, maximumAttempts: 2 } })
        .catch(() => ctx.run(undo, { value: value - 1, ms }));
      ctx.state.update(() => ({ phase: "compensated" }));
      signals.push(await ctx.waitFor(go));
      ctx.state.set("phase", "done");
      return { steps, parts: parts.map((done) => done.value), signals, child, compensated: compensated.value };
    },
  );

  const endless = workflow(
    { name: "endless", state: { initial: ({ sum = 0 }: Round) => ({ steps: 0, sum }) as Tally } },
    async (ctx, { value, steps, ms }: Round): Promise<number> => {
      const done = await ctx.run(step, { value, ms });
      ctx.state.update(({ sum }) => ({ steps, sum: sum + done.value }));
      const sum = ctx.state.get("sum");
      return steps === 1 ? sum : ctx.continueAsNew({ value: value + 1, steps: steps - 1, ms, sum });
    },
  );

  const delegating = workflow({ name: "delegating" }, async (ctx, { value, steps, ms }: Plan) => {
    const parts = await Promise.all(
      Array.from({ length: steps }, (_, index) =>
        ctx.run(remote, { value: value + index, ms, failures: index === 0 ? 1 : 0 }),
      ),
    );
    return parts.reduce((sum, done) => sum + done.value, 0);
  });

  const freezing = workflow({ name: "freezing" }, async (ctx, { value, steps, ms }: Plan) => {
    let sum = 0;
    for (let at = 0; at < steps; at++) {
      sum += (await ctx.run(at === 1 ? freeze : step, { value: value + at, ms })).value;
    }
    return sum;
  });

  return { everything, pipeline, errand, endless, delegating, freezing };
}

let executions = 0;

/** An activity that writes down that it is executed: this is its side effect. */
function labActivity({ ledger, by, freeze }: Performer, name: string): Activity<Work, Done> {
  const execute = async ({ value, ms, failures = 0 }: Work, context: ActivityContext): Promise<Done> => {
    const execution = `${by}.${++executions}`;
    const { runId: run, idempotencyKey: key, attempt } = context;
    ledger.note({ what: "began", by, pid: process.pid, run, activity: name, key, attempt, execution });
    await sleep(ms);
    if (name === "freeze") freeze?.(run, key);
    ledger.note({ what: "ended", by, run, execution });
    if (attempt <= failures) throw new Error(execution);
    return { value: value + 1, execution };
  };
  return activity({ name, retry: 1 }, execute);
}

/** An activity that goes out as a task. It writes down how far it has come, and goes on from there. */
export function remoteActivity({ ledger, by }: Performer): Activity<Work, Done> {
  const execute = async ({ value, ms, failures = 0 }: Work, context: ActivityContext): Promise<Done> => {
    const execution = `${by}.${++executions}`;
    const { runId: run, idempotencyKey: key, attempt } = context;
    const from = (context.lastCheckpoint as number | undefined) ?? 0;
    ledger.note({ what: "took", by, run, key, attempt, execution, from });
    for (let done = from + 1; done <= CHUNKS; done++) {
      await sleep(ms);
      await context.checkpoint(done);
      ledger.note({ what: "saved", by, run, key, done });
    }
    ledger.note({ what: "ended", by, run, execution });
    if (attempt <= failures) throw new Error(execution);
    return { value: value + 1, execution };
  };
  return activity({ name: REMOTE, queue: REMOTE_QUEUE, retry: { maximumAttempts: 3, delay: 15 } }, execute);
}
