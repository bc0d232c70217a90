import type { Settler } from "./open-commands.ts";

/**
 * The promise of a command. It settles by an event alone; while there is none nothing can make the code go on, no `catch` either.
 * A rejection that nobody awaits must not end the process.
 */
export function openPromise(open: (settler: Settler) => void): Promise<unknown> {
  const promise = new Promise<unknown>((resolve, reject) => open({ resolve, reject }));
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
