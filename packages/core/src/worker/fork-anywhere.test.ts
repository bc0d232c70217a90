import { describe, expect, it } from "vitest";
import { CACHES, environment } from "../../test/environment.ts";
import { intercepted } from "../../test/intercepted.ts";
import { activities, interpreter, outputOf, Programmer, signalsOf } from "../../test/program.ts";
import type { RunHandle } from "../client/handle.ts";
import { signal } from "../define/signal.ts";
import { SeededRandom } from "../engine/seeded-random.ts";
import { memory, virtualClock } from "../memory.ts";

const SEEDS = Number(process.env["PERDURE_SIMULATIONS"] ?? 6);
const CASES = CACHES.flatMap((cacheRuns) =>
  Array.from({ length: SEEDS }, (_, at) => [`program ${at + 1}`, cacheRuns] as const),
);

describe.each(CASES)("%s, with %i runs kept in memory", (seed, cacheRuns) => {
  it(
    "comes to the same end from every place of its history, and of a fork's (I12, I14)",
    { timeout: 60_000 },
    async () => {
      const program = new Programmer(new SeededRandom(`fork ${seed}`)).program(2, 5);
      const clock = virtualClock();
      const store = memory({ clock });
      const limits = { ...store.info.limits, eventsPerCommit: 4, eventPage: 5 };
      const storage = intercepted(store, {}, { ...store.info, limits });
      // What finds no slot goes out as a task, and comes back to this worker.
      const env = environment({
        workflows: [interpreter],
        activities,
        queues: ["default", "remote"],
        concurrency: { runs: 100, activities: 2 },
        cacheRuns,
        clock,
        storage,
      });

      /** Sends the signals that the run waits for; those that are in its history already count once. */
      async function feed(run: RunHandle<unknown[]>, history: readonly { readonly id?: string }[]): Promise<void> {
        for (const { name, value } of signalsOf(program)) {
          if (!history.some(({ id }) => id === `signal:${name}`))
            await run.signal(signal<number>(name), value, { id: name });
        }
      }

      async function forkEverywhere(run: RunHandle<unknown[]>, from: number): Promise<readonly RunHandle<unknown[]>[]> {
        const history = await run.history();
        const forks: RunHandle<unknown[]>[] = [];
        for (let beforeSeq = from; beforeSeq <= history.length; beforeSeq++) {
          const fork = await run.fork({ beforeSeq });
          await feed(
            fork,
            history.slice(0, beforeSeq - 1).map(({ data }) => data as { readonly id?: string }),
          );
          forks.push(fork);
        }
        await env.skip("10m");
        for (const fork of forks) expect(await fork.status()).toBe("completed");
        for (const fork of forks) expect(await fork.result()).toEqual(outputOf(program));
        return forks;
      }

      // All within the hour that its longest timers take: those keep their time, while a fork may begin others anew.
      const run = await env.client.start(interpreter, program);
      await env.skip(500);
      await feed(run, []);
      await env.skip("10m");
      expect(await run.result()).toEqual(outputOf(program));
      const forks = await forkEverywhere(run, 2);
      const middle = forks[Math.floor(forks.length / 2)]!;
      await forkEverywhere(middle, 2);
    },
  );
});
