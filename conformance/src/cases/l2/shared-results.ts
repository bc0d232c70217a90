import { activity, workflow } from "@perdure/core";
import { contains, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";

const VALUES: readonly unknown[] = [undefined, 0, "", null, { rate: 1.5 }];
const CALLERS = 8;
const TTL_MS = 40;

export const sharedResultCases: readonly ConformanceCase[] = [
  bothWays({
    id: "cache.result-shared-across-runs",
    invariants: ["I4", "I12", "I24"],
    why: "What is costly and always the same is executed once for all runs, until its time is over by the storage's clock.",
    hint: "Is an entry absent from `expiresAt` on, and does a falsy value count as one?",
    async play(lab) {
      const { queue, mode } = lab;
      const executed: string[] = [];
      const key = (input: unknown): string => `${mode} ${String(input)}`;
      const lasting = activity({ name: "lasting", cache: { key } }, async (index: number) => {
        executed.push(`lasting ${index}`);
        return VALUES[index];
      });
      const brief = activity({ name: "brief", cache: { key, ttl: TTL_MS } }, async (index: number) => {
        executed.push(`brief ${index}`);
        return executed.length;
      });
      const definition = workflow({ name: "shares", queue }, async (ctx) => {
        const values: unknown[] = [];
        for (const index of VALUES.keys()) values.push(await ctx.run(lasting, index));
        return { values, brief: await ctx.run(brief, 0) };
      });
      await lab.work([definition]);
      const first = await lab.start(definition, undefined, { name: "first" });
      const before = await lab.output(first);
      equal(before.values, VALUES, "the first run has what was returned");
      const expired = (await lab.storage.now()) + TTL_MS;
      await lab.until("the brief result has expired", async () => (await lab.storage.now()) >= expired);
      const second = await lab.start(definition, undefined, { name: "second" });
      equal(await lab.output(second), { values: VALUES, brief: VALUES.length + 2 }, "so has the second (I4)");
      equal(
        executed,
        [...VALUES.map((_, index) => `lasting ${index}`), "brief 0", "brief 0"],
        "only what has expired is executed again",
      );
      const completed = (await second.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED");
      contains(completed[0]?.data, { activity: "lasting", cached: true }, "history says where the result is from");
    },
  }),
  bothWays({
    id: "cache.result-of-the-first-writer",
    invariants: ["I4", "I12"],
    why: "Runs that ask for the same at the same time all go on with the result that was stored first.",
    hint: "Is the entry that stands answered to a writer who comes second?",
    async play(lab) {
      const { queue, mode } = lab;
      let executions = 0;
      const all = Promise.withResolvers<void>();
      const roll = activity({ name: "roll", cache: { key: () => mode } }, async () => {
        const rolled = ++executions;
        if (executions === CALLERS) all.resolve();
        await all.promise;
        return rolled;
      });
      const definition = workflow({ name: "rolls", queue }, async (ctx) => {
        const rolled = await ctx.run(roll, undefined);
        await ctx.sleep(5);
        return [rolled, await ctx.run(roll, undefined)];
      });
      for (let count = 0; count < 2; count++) await lab.work([definition]);
      const runs = [];
      for (let caller = 1; caller <= CALLERS; caller++) {
        runs.push(await lab.start(definition, undefined, { name: `rolls-${caller}` }));
      }
      const [winner] = await lab.output(runs[0]!);
      for (const run of runs) equal(await lab.output(run), [winner, winner], "every run has the same result (I12)");
      equal(executions, CALLERS, "who did not know it executed once, and nobody again");
    },
  }),
];
