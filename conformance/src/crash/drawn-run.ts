import type { Random } from "../random.ts";
import type { SoloRun } from "./order.ts";
import type { Plan } from "./workflows.ts";

/** What the n-th run of a lab is called. */
export function drawRunId(random: Random, nth: number): string {
  return `run-${nth}-${random.text(6)}`;
}

/** What it has to do: some milliseconds in each of a few steps. */
export function drawPlan(random: Random): Plan {
  return { value: random.int(1_000), steps: 3 + random.int(5), ms: 1 + random.int(12) };
}

/** One that somebody is to see through. */
export function drawRun(random: Random, nth: number): SoloRun {
  return { runId: drawRunId(random, nth), plan: drawPlan(random), signalled: random.int(2) === 0 };
}
