import { type ActivityContext, type AnyActivity, type Runtime, activity } from "@perdure/core";
import type { Millis } from "@perdure/core/storage";
import type { Executions } from "./executions.ts";
import type { Step } from "./program.ts";

type Work = Extract<Step, { readonly do: "work" }>;
type Resume = Extract<Step, { readonly do: "resume" }>;

/** Which worker executes, where its time comes from, and who notes what it does. */
interface Workplace {
  readonly by: string;
  readonly runtime: Pick<Runtime, "after">;
  readonly now: () => Millis;
  readonly executions: Executions;
}

const retry = { maximumAttempts: 4, delay: ["500ms", "1s"], jitter: 0.2 } as const;

/** The activities of simulated workflows, as one worker has them. */
export function simulatedActivities({ by, runtime, now, executions }: Workplace) {
  const begin = ({ id }: Work | Resume, { runId, attempt, idempotencyKey }: ActivityContext): number =>
    executions.begin({ runId, step: id, attempt, idempotencyKey, by, at: now() });

  async function workOn(step: Work, context: ActivityContext): Promise<Worked> {
    const execution = begin(step, context);
    if (step.ms > 0) await new Promise<void>((resolve) => void runtime.after(step.ms, resolve));
    if (context.attempt <= step.fails) throw new Error(`attempt ${context.attempt}`);
    return { value: step.value, attempt: context.attempt, execution };
  }

  return {
    work: activity({ name: "work", retry, timeout: "1m" }, workOn),
    remote: activity({ name: "remote", queue: "remote", retry, timeout: "1m" }, workOn),
    /** Reads one page in each attempt. */
    resume: activity(
      { name: "resume", queue: "remote", retry: { maximumAttempts: 10, delay: 300 } },
      async (step: Resume, context) => {
        begin(step, context);
        const read = ((context.lastCheckpoint as number | undefined) ?? 0) + 1;
        if (read >= step.pages) return step.pages;
        await context.checkpoint(read);
        throw new Error(`${step.pages - read} pages are left`);
      },
    ),
    remember: activity(
      { name: "remember", cache: { key: (key: number) => `${key}`, ttl: "5s" } },
      async (key: number) => `result ${key}`,
    ),
    fail: activity({ name: "fail", retry: { maximumAttempts: 2, delay: 300 } }, async (): Promise<never> => {
      throw new RangeError("always");
    }),
    hang: activity(
      { name: "hang", retry: { maximumAttempts: 1 }, timeout: "1s" },
      (): Promise<never> => new Promise(() => {}),
    ),
  } satisfies Readonly<Record<string, AnyActivity>>;
}

export type SimulatedActivities = ReturnType<typeof simulatedActivities>;

/** What an activity of a `work` step returns. */
export interface Worked {
  readonly value: number;
  readonly attempt: number;
  /** The number of the execution that returned it. */
  readonly execution: number;
}
