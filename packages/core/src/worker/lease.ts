/** What this process can prove about a lease: it counts from when the last acknowledged request was sent. */
export class Lease {
  readonly #monotonic: () => number;
  readonly #leaseMs: number;
  #provenUntil: number;

  constructor(monotonic: () => number, leaseMs: number, sentAt: number) {
    this.#monotonic = monotonic;
    this.#leaseMs = leaseMs;
    this.#provenUntil = sentAt + leaseMs;
  }

  renewed(sentAt: number): void {
    this.#provenUntil = Math.max(this.#provenUntil, sentAt + this.#leaseMs);
  }

  /** Nobody else can own the task yet: effects may be sent. */
  get proven(): boolean {
    return this.#monotonic() < this.#provenUntil;
  }
}
