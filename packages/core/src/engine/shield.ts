import { AsyncLocalStorage } from "node:async_hooks";
import { UsageError } from "../errors/index.ts";

/** Made by the first shield: until then no promise of the process pays for it. */
let shielded: AsyncLocalStorage<true> | undefined;

/** Whether the code that runs right now was called by `ctx.shield`, whatever it has awaited since. */
export function isShielded(): boolean {
  return shielded?.getStore() === true;
}

/** Calls the function. `begun` answers what is told when it has ended, before those who wait for it are. */
export async function shield<T>(fn: () => T | PromiseLike<T>, begun: () => () => void): Promise<T> {
  if (typeof fn !== "function") {
    throw new UsageError("invalid-argument", "ctx.shield needs a function. Pass async () => { … }.");
  }
  // A shield within a shield is the outer one.
  if (isShielded()) return fn();
  shielded ??= new AsyncLocalStorage();
  const over = begun();
  try {
    return await shielded.run(true, fn);
  } finally {
    over();
  }
}
