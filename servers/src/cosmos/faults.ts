/** What a request asks for. */
export type RequestKind = "account" | "database" | "container" | "ranges" | "plan" | "query" | "batch" | "point";

/** What is done to some requests in place of what they ask for. */
export interface Fault {
  /** To which; any, if absent. */
  readonly on?: RequestKind;
  /** So many of them pass before. */
  readonly skip?: number;
  /** To how many. Default 1. */
  readonly times?: number;
  /** The answer, in place of doing it: 429, 449, 503, 412 … */
  readonly status?: number;
  readonly substatus?: number;
  readonly retryAfterMs?: number;
  /** It is done, and its answer is lost. */
  readonly isLost?: boolean;
  /** It waits for so long. */
  readonly delayMs?: number;
}

/** Faults that are still to come, in the order in which they were planned. */
export class Faults {
  #planned: { readonly fault: Fault; skip: number; left: number }[] = [];

  plan(fault: Fault): void {
    this.#planned.push({ fault, skip: fault.skip ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#planned = [];
  }

  /** The fault of a request of this kind, if one is due. */
  next(kind: RequestKind): Fault | undefined {
    for (const planned of this.#planned) {
      if (planned.left === 0 || (planned.fault.on ?? kind) !== kind) continue;
      if (planned.skip > 0) {
        planned.skip -= 1;
        continue;
      }
      planned.left -= 1;
      return planned.fault;
    }
    return undefined;
  }
}
