import { activity, signal, workflow } from "@perdure/core";

/** Activities of a run of W1 and W2. */
export const ACTIVITIES = 5;

interface Small {
  readonly ok: boolean;
  readonly value: number;
}

const noop = activity<number, Small>({ name: "noop" }, async () => ({ ok: true, value: 42 }));

/** Five activities, one after the other. */
export const five = workflow({ name: "five" }, async (ctx, first: number) => {
  let last: Small = { ok: false, value: 0 };
  for (let at = 0; at < ACTIVITIES; at++) last = await ctx.run(noop, first + at);
  return last;
});

/** What happened in the code of this process: for it alone to know, and without influence on what the code does. */
export const seen = {
  /** How long each {@link fan} waited for its activities. */
  fanMs: [] as number[],
  /** When each {@link nap} first asked for its sleep. */
  askedAt: new Map<string, number>(),
  /** How long it was then until it went on. */
  sleptMs: new Map<string, number>(),
};

/** So many activities at once. */
export const fan = workflow({ name: "fan" }, async (ctx, activities: number) => {
  const from = performance.now();
  const results = await Promise.all(Array.from({ length: activities }, (_, at) => ctx.run(noop, at)));
  seen.fanMs.push(performance.now() - from);
  return results.length;
});

/** Sleeps for so many milliseconds. */
export const nap = workflow({ name: "nap" }, async (ctx, ms: number) => {
  const { runId } = ctx;
  if (!seen.askedAt.has(runId)) seen.askedAt.set(runId, performance.now());
  await ctx.sleep(ms);
  seen.sleptMs.set(runId, performance.now() - seen.askedAt.get(runId)!);
});

/** When each activity of {@link long} was executed, and when its code had all their results: for this process alone to know. */
export const marks: { executedAt: number[]; caughtUpAt: number } = { executedAt: [], caughtUpAt: 0 };

const tick = activity<number, Small>({ name: "tick" }, async () => {
  marks.executedAt.push(performance.now());
  return { ok: true, value: 42 };
});

export const finish = signal<null>("finish");

/** Many activities, one after the other; then it waits for a signal. */
export const long = workflow({ name: "long" }, async (ctx, activities: number) => {
  for (let at = 0; at < activities; at++) await ctx.run(tick, at);
  // Not the workflow's affair and without influence on it: the replay is timed from inside.
  marks.caughtUpAt = performance.now();
  await ctx.waitFor(finish);
  return activities;
});
