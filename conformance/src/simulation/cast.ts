import type { RunStatus } from "@perdure/core";
import type { Random } from "../random.ts";
import type { Program, Step } from "./program.ts";
import { Programmer } from "./programmer.ts";

/** How a run is meant to end. What clients do `maybe`, they do at any time, and the run may have ended before. */
const FATES = [
  "completed",
  "failed",
  "cancelled",
  "terminated",
  "timed-out",
  "maybe cancelled",
  "maybe terminated",
  "maybe timed-out",
] as const;

type Fate = (typeof FATES)[number];

/** A run of the world, as its clients want it. */
export interface Role {
  readonly runId: string;
  readonly program: Program;
  readonly fate: Fate;
  /** After the world's beginning. */
  readonly startMs: number;
  /** From its start, for runs that time out. */
  readonly timeoutMs: number;
  /** When somebody cancels or terminates it, counted from its start. */
  readonly endMs: number;
}

/** What each fate makes of a run. `maybe`: it may have completed before. */
export const STATUS_OF: Readonly<Record<Fate, Exclude<RunStatus, "open">>> = {
  completed: "completed",
  failed: "failed",
  cancelled: "cancelled",
  terminated: "cancelled",
  "timed-out": "failed",
  "maybe cancelled": "cancelled",
  "maybe terminated": "cancelled",
  "maybe timed-out": "failed",
};

const LAST: Partial<Record<Fate, Step>> = {
  failed: { do: "throw" },
  cancelled: { do: "forever" },
  terminated: { do: "forever" },
  "timed-out": { do: "forever" },
};

/** Draws the runs of a world. Some of those that complete for certain send signals to later ones. */
export function drawCast(random: Random, size: number, stormMs: number): readonly Role[] {
  const programmer = new Programmer(random);
  const cast = Array.from({ length: size }, (_, at) => {
    const fate = random.int(2) === 0 ? "completed" : random.pick(FATES);
    return {
      runId: `run-${at}`,
      program: [...programmer.program(2, 2 + random.int(5))],
      fate,
      startMs: random.int(stormMs / 4),
      timeoutMs: 1 + random.int(stormMs),
      endMs: random.int(stormMs / 2),
    };
  });
  for (const [at, { fate, program }] of cast.entries()) {
    const receiver = cast[at + 1 + random.int(3)];
    if (fate !== "completed" || receiver === undefined) continue;
    const message = { name: programmer.name(), value: random.int(1_000) };
    insert(random, program, { do: "send", runId: receiver.runId, ...message });
    insert(random, receiver.program, { do: "hear", ...message });
  }
  for (const { fate, program } of cast) {
    const last = LAST[fate];
    if (last !== undefined) program.push(last);
  }
  return cast;
}

function insert(random: Random, program: Step[], step: Step): void {
  program.splice(random.int(program.length + 1), 0, step);
}
