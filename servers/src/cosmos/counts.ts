import type { RequestKind } from "./faults.ts";

/** What a server has been asked since it started. */
export interface CosmosCounts {
  readonly requests: number;
  /** Request units, as estimated. */
  readonly charge: number;
  readonly byKind: Readonly<Partial<Record<RequestKind, { readonly requests: number; readonly charge: number }>>>;
}

export class Counter {
  readonly #byKind = new Map<RequestKind, { requests: number; charge: number }>();

  count(kind: RequestKind, charge: number): void {
    const counted = this.#byKind.get(kind) ?? { requests: 0, charge: 0 };
    counted.requests += 1;
    counted.charge += charge;
    this.#byKind.set(kind, counted);
  }

  get all(): CosmosCounts {
    const kinds = [...this.#byKind.values()];
    const sum = (of: (one: { requests: number; charge: number }) => number): number =>
      kinds.reduce((total, one) => total + of(one), 0);
    return {
      requests: sum(({ requests }) => requests),
      charge: Math.round(sum(({ charge }) => charge)),
      byKind: Object.fromEntries(this.#byKind),
    };
  }
}
