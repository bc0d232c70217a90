import type { Lab } from "./lab.ts";

/** A queue that the runs' own workers do not serve. */
export function elsewhere({ queue }: Lab): string {
  return `${queue}-elsewhere`;
}
