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
