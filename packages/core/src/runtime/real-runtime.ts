import { randomBytes } from "node:crypto";
import type { Runtime } from "../model/runtime.ts";

/** setTimeout takes no longer waits than this: a longer one fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Random bytes are drawn in bulk: a system call for each id would cost more than the rest of it. */
const ID_BYTES = 16;
let pool = Buffer.alloc(0);
let drawn = 0;

/** The process's own time and randomness. */
export const realRuntime: Runtime = {
  monotonic: () => performance.now(),
  after,
  defer: setImmediate,
  // A tick that a microtask asks for comes when no microtask is left.
  settle: () => new Promise<void>((resolve) => queueMicrotask(() => process.nextTick(resolve))),
  id,
  random: Math.random,
};

function after(ms: number, fn: () => void): () => void {
  const timer = setTimeout(
    () => {
      if (ms <= LONGEST_TIMER_MS) fn();
      else cancel = after(ms - LONGEST_TIMER_MS, fn);
    },
    Math.min(Math.max(ms, 0), LONGEST_TIMER_MS),
  );
  let cancel = () => clearTimeout(timer);
  return () => cancel();
}

function id(): string {
  if (drawn + ID_BYTES > pool.length) {
    pool = randomBytes(ID_BYTES * 256);
    drawn = 0;
  }
  drawn += ID_BYTES;
  return pool.toString("base64url", drawn - ID_BYTES, drawn);
}
