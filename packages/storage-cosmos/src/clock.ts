import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Millis, StorageError } from "@perdure/core/storage";
import { CLOCK_ERROR_MS } from "./info.ts";

/** `Date` tells whole seconds. */
const GRAIN_MS = 1_000;
/** How much faster or slower a machine's monotonic clock may run. */
const DRIFT = 1e-4;
/** What one client may be off by: two of them differ by at most the error, and something is left for the service's own machines. */
const MOST_OFF_MS = CLOCK_ERROR_MS * 0.45;
const PROBES = 12;

/** What is known of the service's time: how far it is ahead of this machine's monotonic clock, at least and at most. */
export class ServiceClock {
  #least = -Infinity;
  #most = Infinity;
  #learntAt = 0;

  /** An answer with this `Date` came for a request that was sent then. */
  observe(sentAt: number, receivedAt: number, date: Millis): void {
    const widening = Math.max(0, receivedAt - this.#learntAt) * DRIFT;
    const least = date - receivedAt;
    const most = date + GRAIN_MS - sentAt;
    const newLeast = Math.max(this.#least - widening, least);
    const newMost = Math.min(this.#most + widening, most);
    // Nothing agrees with all that was seen: somebody has set the service's clock.
    [this.#least, this.#most] = newLeast < newMost ? [newLeast, newMost] : [least, most];
    this.#learntAt = receivedAt;
  }

  get offBy(): number {
    return (this.#most - this.#least) / 2;
  }

  now(): number {
    return performance.now() + (this.#least + this.#most) / 2;
  }

  /**
   * Asks until the time is known well enough: each request is sent so that its answer halves what is left.
   * @throws StorageError `misconfigured` if answers take too long for that
   */
  async learn(ask: () => Promise<unknown>): Promise<void> {
    for (let probe = 0; probe < PROBES && !(this.offBy <= MOST_OFF_MS); probe++) {
      if (probe > 0) await sleep(GRAIN_MS - (this.now() % GRAIN_MS));
      await ask();
    }
    if (this.offBy <= MOST_OFF_MS) return;
    throw new StorageError(
      "misconfigured",
      `The time of Cosmos DB is known only within ${Math.ceil(this.offBy)} ms here, and must be within ${MOST_OFF_MS} ms. Run workers nearer to the account.`,
      { details: { offByMs: Math.ceil(this.offBy) } },
    );
  }
}

const clocks = new Map<string, ServiceClock>();

/** One for all clients of an account in this process. */
export function clockOf(endpoint: string): ServiceClock {
  let clock = clocks.get(endpoint);
  if (clock === undefined) clocks.set(endpoint, (clock = new ServiceClock()));
  return clock;
}
