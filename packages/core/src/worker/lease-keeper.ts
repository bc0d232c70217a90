import { isPerdureError } from "../errors/index.ts";
import type { Claims } from "./claims.ts";
import type { WorkerEnvironment } from "./environment.ts";

/** Activities that run longer than this are recorded as scheduled. */
const SLOW_MS = 50;

/**
 * Keeps the worker's leases: renews all of them in one call at a third of the lease, gives up what it cannot prove to own any more,
 * and warns when the event loop was blocked for so long that leases are in danger.
 */
export class LeaseKeeper {
  readonly #environment: WorkerEnvironment;
  readonly #claims: Claims;
  #cancel: (() => void) | null = null;
  #renewedAt = 0;
  #renewing = false;
  /** Something came up that the renewal under way may not have seen. */
  #again = false;
  #lookedAt = 0;

  constructor(environment: WorkerEnvironment, claims: Claims) {
    this.#environment = environment;
    this.#claims = claims;
  }

  /** Something was claimed: keeps watch until nothing is held any more. */
  watch(): void {
    if (this.#cancel !== null) return;
    this.#renewedAt = this.#lookedAt = this.#environment.runtime.monotonic();
    this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** A held run may have a message: a renewal brings it. */
  lookAt(runId: string): void {
    for (const { task, held } of this.#claims.taken()) {
      if (task.kind === "workflow" && task.claim.runId === runId && held !== null) void this.#renew();
    }
  }

  #schedule(): void {
    this.#cancel = this.#environment.runtime.after(SLOW_MS, () => {
      this.#cancel = null;
      if (this.#claims.isEmpty) return;
      this.#schedule();
      this.#look();
    });
  }

  #look(): void {
    const { runtime, leaseMs, logger } = this.#environment;
    const now = runtime.monotonic();
    const blockedMs = now - this.#lookedAt - SLOW_MS;
    this.#lookedAt = now;
    if (blockedMs > leaseMs / 3) {
      logger.warn(
        `The event loop was blocked for ${Math.round(blockedMs)} ms: leases of ${leaseMs} ms cannot be renewed in time. Move heavy work into a worker thread, or lengthen the lease.`,
        { code: "event-loop-blocked", blockedMs: Math.round(blockedMs) },
      );
    }
    let look = false;
    for (const taken of this.#claims.taken()) {
      if (!taken.lease.proven) {
        taken.held?.lose();
        this.#claims.drop(taken);
      } else if (taken.held?.noticeSlow(now - SLOW_MS) === true) look = true;
    }
    if (look || now - this.#renewedAt >= leaseMs / 3) void this.#renew();
  }

  async #renew(): Promise<void> {
    if (this.#renewing) {
      this.#again = true;
      return;
    }
    const taken = [...this.#claims.taken()].filter(({ held }) => held?.isEnding !== true);
    if (taken.length === 0) return;
    this.#renewing = true;
    this.#again = false;
    const { access, leaseMs, logger, outage, runtime } = this.#environment;
    try {
      this.#renewedAt = runtime.monotonic();
      const { result, sentAt } = await access.renew(
        taken.map(({ task }) => task.claim),
        leaseMs,
      );
      taken.forEach(({ held, lease }, at) => {
        const answer = result[at]!;
        if (held !== null) held.renewed(answer, sentAt);
        else if (answer.status === "held") lease.renewed(sentAt);
        else this.#claims.drop(taken[at]!);
      });
      outage.isOver();
    } catch (error) {
      // The leases stand as they are; what cannot be proven in time is given up.
      if (isPerdureError(error, "unavailable")) outage.begins(error);
      else logger.warn("Renewing leases failed; it is tried again.", { error });
    } finally {
      this.#renewing = false;
    }
    if (this.#again) await this.#renew();
  }
}
