import { describe, expect, it } from "vitest";
import { environment, type TestedEnvironment } from "../../test/environment.ts";
import { gate, intercepted, unavailable } from "../../test/intercepted.ts";
import { pass, running } from "../../test/workers.ts";
import { activity, type ActivityCache } from "../define/activity.ts";
import { type AnyWorkflow, workflow } from "../define/workflow.ts";
import { memory, virtualClock } from "../memory.ts";
import type { EventOf } from "../model/event.ts";

/** Where an activity is executed: by the worker that holds its run, or by another. */
const PLACES = ["default", "elsewhere"] as const;

type Place = (typeof PLACES)[number];

/** An activity of that place which remembers its results, and a run that calls it once. */
function remembering(
  place: Place,
  cache: ActivityCache<string>,
  execute: (input: string, execution: number) => unknown,
) {
  let executions = 0;
  const price = activity(
    { name: "price", queue: place, cache, retry: { maximumAttempts: 2, delay: "1s", jitter: 0 } },
    (input: string) => execute(input, ++executions),
  );
  const quote = workflow({ name: "quote" }, (ctx, input: string) => ctx.run(price, input));
  return { price, quote, executions: (): number => executions };
}

/** Workers for both places. */
function staff(
  env: TestedEnvironment,
  { price, quote }: Pick<ReturnType<typeof remembering>, "price" | "quote">,
): void {
  running(env, { workflows: [quote] });
  running(env, { queues: ["elsewhere"], activities: [price] });
}

/** What a run of `quote` recorded of its activity: output, and whether it was remembered. */
async function quoted(
  env: TestedEnvironment,
  definition: AnyWorkflow,
  input: string,
): Promise<readonly [unknown, boolean]> {
  const run = await env.client.start(definition, input);
  await pass(env, "5s");
  const history = await run.history();
  const completed = history.find(
    (event): event is EventOf<"ACTIVITY_COMPLETED"> => event.type === "ACTIVITY_COMPLETED",
  );
  expect(await run.result()).toEqual(completed?.data.output);
  return [completed?.data.output, completed?.data.cached === true];
}

describe.each(PLACES)("an activity of queue %s that remembers its results", (place) => {
  it("is executed once for each key; later calls record the result as an earlier one's", async () => {
    const made = remembering(place, { key: (input) => input.toLowerCase() }, (input, n) => `${input}${n}`);
    const env = environment({ workflows: [made.quote] });
    staff(env, made);
    expect(await quoted(env, made.quote, "A")).toEqual(["A1", false]);
    expect(await quoted(env, made.quote, "a")).toEqual(["A1", true]);
    expect(await quoted(env, made.quote, "b")).toEqual(["b2", false]);
    expect(await quoted(env, made.quote, "A")).toEqual(["A1", true]);
    expect(made.executions()).toBe(2);
  });

  it("also results that are falsy, or undefined", async () => {
    const values = new Map<string, unknown>([
      ["undefined", undefined],
      ["null", null],
      ["zero", 0],
      ["minus zero", -0],
      ["empty", ""],
      ["no", false],
      ["NaN", Number.NaN],
    ]);
    const made = remembering(place, { key: (input) => input }, (input) => values.get(input));
    const env = environment({ workflows: [made.quote] });
    staff(env, made);
    for (const [name, value] of values) {
      expect(await quoted(env, made.quote, name)).toEqual([value, false]);
      expect(await quoted(env, made.quote, name)).toEqual([value, true]);
    }
    expect(made.executions()).toBe(values.size);
  });

  it("until their time is over, by the storage's clock (I24)", async () => {
    const made = remembering(place, { key: () => "one", ttl: "1m" }, (_, n) => n);
    const env = environment({ workflows: [made.quote] });
    staff(env, made);
    const remembered: unknown[] = [];
    for (let seconds = 0; seconds <= 125; seconds += 5) remembered.push((await quoted(env, made.quote, ""))[0]);
    // Every 5 s: executed at 0, at 60 and at 120.
    expect(remembered).toEqual(Array.from({ length: 26 }, (_, at) => 1 + Math.floor(at / 12)));
  });

  it("fifty runs at once with one key: whoever is first stands, and all record the same (I12)", async () => {
    const together = gate();
    const made = remembering(place, { key: () => "one" }, async (input) => {
      await together.passed;
      return input;
    });
    const env = environment({ workflows: [made.quote] });
    staff(env, made);
    const runs = await Promise.all(Array.from({ length: 50 }, (_, n) => env.client.start(made.quote, `${n}`)));
    await env.runtime.calm();
    expect(made.executions()).toBe(50);
    together.open();
    await pass(env, "1s");
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(new Set(results).size).toBe(1);
    const remembered = await Promise.all(
      runs.map(async (run) => (await run.history()).filter(({ data }) => "cached" in data).length),
    );
    expect(remembered.filter((times) => times === 0)).toHaveLength(1);
    expect(await quoted(env, made.quote, "later")).toEqual([results[0], true]);
  });

  it("a failure is not remembered; the attempt that succeeds is", async () => {
    const made = remembering(place, { key: () => "one" }, (_, n) => {
      if (n === 1) throw new Error("no");
      return n;
    });
    const env = environment({ workflows: [made.quote] });
    staff(env, made);
    expect(await quoted(env, made.quote, "")).toEqual([2, false]);
    expect(await quoted(env, made.quote, "")).toEqual([2, true]);
  });

  it("a key that cannot be made, or is no text, fails it as any error would, and nothing is executed", async () => {
    const keys: readonly [key: () => string, message: RegExp][] = [
      [
        () => {
          throw new Error("no key");
        },
        /^no key$/u,
      ],
      [() => 7 as never, /The cache key of activity "price" must be a text, not number/u],
      [() => undefined as never, /must be a text, not undefined/u],
    ];
    for (const [key, message] of keys) {
      const made = remembering(place, { key }, () => "done");
      const env = environment({ workflows: [made.quote] });
      staff(env, made);
      const run = await env.client.start(made.quote, "");
      await pass(env, "5s");
      await expect(run.result()).rejects.toMatchObject({
        failure: { code: "activity-failed", cause: { message: expect.stringMatching(message) as unknown } },
      });
      expect(made.executions()).toBe(0);
    }
  });

  it("survives the purge of the run that made the result", async () => {
    const made = remembering(place, { key: () => "one" }, (_, n) => n);
    const env = environment({ workflows: [made.quote] });
    staff(env, made);
    await quoted(env, made.quote, "");
    const { purged } = await env.storage.purgeRuns({ closedBefore: env.clock.now(), limit: 10, minAgeMs: 0 });
    expect(purged).toBe(1);
    expect(await quoted(env, made.quote, "")).toEqual([1, true]);
  });

  it("lost answers of the cache change nothing", async () => {
    for (const verb of ["readCache", "writeCache"] as const) {
      const clock = virtualClock();
      const store = memory({ clock });
      const storage = intercepted(store, {
        [verb]: async (call: () => Promise<never>, _: unknown, nth: number) => {
          const answer = await call();
          if (nth === 1) throw unavailable();
          return answer;
        },
      });
      const made = remembering(place, { key: () => "one" }, (_, n) => n);
      const env = environment({ workflows: [made.quote], storage, clock });
      staff(env, made);
      expect(await quoted(env, made.quote, "")).toEqual([1, false]);
      expect(await quoted(env, made.quote, "")).toEqual([1, true]);
    }
  });

  it("an attempt that timed out remembers nothing", async () => {
    const late = gate();
    let executions = 0;
    const price = activity(
      { name: "price", queue: place, timeout: "1s", cache: { key: () => "one" }, retry: { delay: "1s", jitter: 0 } },
      async () => {
        executions++;
        if (executions === 1) await late.passed;
        return executions;
      },
    );
    const quote = workflow({ name: "quote" }, (ctx) => ctx.run(price, undefined));
    const env = environment({ workflows: [quote] });
    running(env, { workflows: [quote] });
    running(env, { queues: ["elsewhere"], activities: [price] });
    const run = await env.client.start(quote, undefined);
    await pass(env, "1500ms");
    late.open();
    await pass(env, "5s");
    expect([executions, await run.result()]).toEqual([2, 2]);
  });
});

describe("results that are remembered", () => {
  it("belong to the activity's name: another with the same key has its own", async () => {
    const named = (name: string) => activity({ name, cache: { key: () => "key" } }, () => name);
    const both = workflow({ name: "both" }, async (ctx) => [
      await ctx.run(named("one"), undefined),
      await ctx.run(named("other"), undefined),
    ]);
    const env = environment({ workflows: [both] });
    const run = await env.client.start(both, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual(["one", "other"]);
  });

  it("may have keys of any length, empty ones and strange characters included", async () => {
    const keys = ["", "x".repeat(10_000), "\0", "ключ\uD83D\uDE00", "a:b", 'a":"b'];
    const echo = activity({ name: "echo", cache: { key: (text: string) => text } }, (text: string) => text);
    const all = workflow({ name: "all" }, (ctx) => Promise.all([...keys, ...keys].map((key) => ctx.run(echo, key))));
    const env = environment({ workflows: [all] });
    const run = await env.client.start(all, undefined);
    await env.runUntilIdle();
    expect(await run.result()).toEqual([...keys, ...keys]);
  });

  it("are the same for the worker that holds the run and for another", async () => {
    let executions = 0;
    const price = activity({ name: "price", queue: "elsewhere", cache: { key: () => "one" } }, () => ++executions);
    const quote = workflow({ name: "quote" }, (ctx) => ctx.run(price, undefined));
    const env = environment({ workflows: [quote], queues: ["default", "elsewhere"] });
    const here = await env.client.start(quote, undefined);
    await env.runUntilIdle();
    await env.worker.stop();
    running(env, { workflows: [quote] });
    running(env, { queues: ["elsewhere"], activities: [price] });
    const there = await env.client.start(quote, undefined);
    await pass(env, "1s");
    expect([await here.result(), await there.result(), executions]).toEqual([1, 1, 1]);
  });
});
