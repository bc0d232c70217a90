import { appendFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { activity, type Activity, workflow } from "@perdure/core";

export const CALLS = 1_000;

/** Notes each execution in a file, which survives the process, and answers who executed it. */
async function execute(log: string, n: number): Promise<number> {
  appendFileSync(log, `${n} ${process.pid}\n`);
  await setTimeout(5);
  return process.pid;
}

/** Executed by whoever has a slot free and lists it. */
export function work(log: string): Activity<number, number> {
  return activity({ name: "work" }, (n: number) => execute(log, n));
}

/** Executed by those alone who serve the queue. */
export function pooled(log: string): Activity<number, number> {
  return activity({ name: "pooled", queue: "pool" }, (n: number) => execute(log, n));
}

/** Calls an activity a thousand times at once; answers who executed each call. */
export const fan = workflow({ name: "fan" }, (ctx, { log, pool }: { log: string; pool: boolean }) =>
  Promise.all(Array.from({ length: CALLS }, (_, n) => ctx.run(pool ? pooled(log) : work(log), n))),
);
