import { signal, workflow } from "@perdure/core";
import { exportHistory, replayHistory } from "@perdure/core/testing";
import { check, equal } from "../../assert.ts";
import { heap } from "../../heap.ts";
import type { ConformanceCase } from "../../case.ts";
import { bothWays } from "./both-ways.ts";
import type { Definition, Lab } from "./lab.ts";

/** Activities, and as many events. */
const SHORT = 1_000;
const LONG = 10_000;
const AT_ONCE = 500;
/** What an event of the long history may cost more than one of the short one. */
const MAX_RATIO = 3;
const MEASUREMENTS = 10;
const REPLAYS = 5;
/** What an event may leave in memory when its replay is over: less than any object. */
const MAX_BYTES = 100;

const go = signal<string>("go");

export const lengthCases: readonly ConformanceCase[] = [
  bothWays({
    id: "replay.ten-thousand-events",
    invariants: ["I1", "I14"],
    scenarios: ["S21"],
    why: "Long runs are the ones that matter: reading and replaying one must cost time in proportion to its length, and leave nothing in memory.",
    hint: "Is a page of events found by an index on (run, seq), and not by counting rows from the first?",
    alone: true,
    timeoutMs: 60_000,
    async play(lab) {
      const definition = workflow({ name: "long", queue: lab.queue }, async (ctx, count: number) => {
        let sum = 0;
        for (let from = 0; from < count; from += AT_ONCE) {
          const values = await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => ctx.run("n", () => from + n)));
          for (const value of values) sum += value;
        }
        return `${sum} ${await ctx.waitFor(go)}`;
      });
      const first = await lab.work([definition]);
      const short = await lab.start(definition, SHORT, { name: "short" });
      const long = await lab.start(definition, LONG, { name: "long" });
      for (const run of [short, long]) await lab.parked(run, "SIGNAL_AWAITED");
      await first.stop();
      await lab.work([definition]);
      for (const run of [short, long]) await run.signal(go, "again", { id: "again" });
      equal(await lab.output(short), `${sumBelow(SHORT)} again`, "a worker that replays the short one has its result");
      equal(await lab.output(long), `${sumBelow(LONG)} again`, "a worker that replays the long one has its result");
    },
    async afterwards(lab) {
      await checkRatio(lab);
      if (lab.mode === "cold") await checkMemory(lab);
    },
  }),
];

/**
 * Reads and replays as many events of either run. A busy machine disturbs any measurement, so both take equally long where all is
 * well, and the quickest of each counts.
 */
async function checkRatio(lab: Lab): Promise<void> {
  const definition = lab.definitions.get("long")!;
  const [short, long] = ["short", "long"].map((name) => lab.runs.get(name)!);
  let [quickestShort, quickestLong] = [Infinity, Infinity];
  let ratio = Infinity;
  for (let count = 0; count < MEASUREMENTS && ratio >= MAX_RATIO; count++) {
    quickestShort = Math.min(quickestShort, await timeOf(lab, definition, short!, LONG / SHORT));
    quickestLong = Math.min(quickestLong, await timeOf(lab, definition, long!, 1));
    ratio = quickestLong / quickestShort;
  }
  check(
    ratio < MAX_RATIO,
    `an event of a long history costs what one of a short one does, not ${ratio.toFixed(1)} times that`,
  );
}

/** What replays leave behind does not grow with their number. */
async function checkMemory(lab: Lab): Promise<void> {
  const [definition, runId] = [lab.definitions.get("long")!, lab.runs.get("long")!];
  // The journal keeps the last calls: it is full after these.
  await timeOf(lab, definition, runId, 2);
  const before = heap();
  await timeOf(lab, definition, runId, REPLAYS);
  const grown = heap() - before;
  check(
    grown < REPLAYS * LONG * MAX_BYTES,
    `replays leave nothing behind, not ${Math.ceil(grown / REPLAYS / LONG)} bytes of each event`,
  );
}

async function timeOf({ storage }: Lab, definition: Definition, runId: string, times: number): Promise<number> {
  const began = performance.now();
  for (let count = 0; count < times; count++) await replayHistory(definition, await exportHistory(storage, runId));
  return performance.now() - began;
}

function sumBelow(count: number): number {
  return (count * (count - 1)) / 2;
}
