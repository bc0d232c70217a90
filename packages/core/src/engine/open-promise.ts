import type { Settler } from "./open-command.ts";
import { isShielded } from "./shield.ts";

/** The promise of a command. It settles by an event alone; while there is none nothing can make the code go on, no `catch` either. */
export function openPromise(open: (settler: Settler) => void): Promise<unknown> {
  return new Promise<unknown>((resolve, reject) => open({ resolve, reject, shielded: isShielded() }));
}

/** A promise for workflow code: a rejection that the code does not await must not end the process. */
export function forCode<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
