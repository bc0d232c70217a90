import { isPerdureError } from "../errors/index.ts";
import type { Claims } from "./claims.ts";
import type { WorkerEnvironment } from "./environment.ts";

/** Activities that run longer than this are recorded as scheduled. */
const SLOW_MS = 50;
const NONE: ReadonlySet<number> = new Set();

/**
 * Keeps the worker's leases: renews all of them in one call at a third of the lease, gives up what it cannot prove to own any more,
 * and warns when the event loop was blocked for so long that leases are in danger.
 */
export class LeaseKeeper {
  readonly #environment: WorkerEnvironment;
  readonly #claims: Claims;
  #cancel: (() => void) | null = null;
  #renewedAt = 0;
  /** Parts of the store in which leases are being renewed; and whether something came up that the renewal may not have seen. */
  readonly #renewing = new Map<number, { again: boolean }>();
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
      if (task.kind === "workflow" && task.claim.runId === runId && held !== null)
        void this.#renewIn(this.#environment.access.partOf(runId));
    }
  }

  #schedule(): void {
    this.#cancel = this.#environment.runtime.after(SLOW_MS, () => {
      this.#cancel = null;
      if (this.#claims.isEmpty) {
        this.#environment.outage.concernsOnly(NONE);
        return;
      }
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
    if (look || now - this.#renewedAt >= leaseMs / 3) this.#renew();
  }

  #renew(): void {
    this.#renewedAt = this.#environment.runtime.monotonic();
    const { access, outage } = this.#environment;
    const byPart = Map.groupBy(this.#claims.taken(), ({ task }) => access.partOf(task.claim.runId));
    outage.concernsOnly(new Set(byPart.keys()));
    // Each by itself: one that is out of reach shall not cost the others their leases.
    for (const part of byPart.keys()) void this.#renewIn(part);
  }

  async #renewIn(part: number): Promise<void> {
    const underWay = this.#renewing.get(part);
    if (underWay !== undefined) {
      underWay.again = true;
      return;
    }
    const { access, leaseMs, logger, outage } = this.#environment;
    const taken = [...this.#claims.taken()].filter(
      ({ held, task }) => held?.isEnding !== true && access.partOf(task.claim.runId) === part,
    );
    if (taken.length === 0) return;
    const renewal = { again: false };
    this.#renewing.set(part, renewal);
    try {
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
      outage.isOver(part);
    } catch (error) {
      // The leases stand as they are; what cannot be proven in time is given up.
      if (isPerdureError(error, "unavailable")) outage.begins(error, part);
      else logger.warn("Renewing leases failed; it is tried again.", { error });
    } finally {
      this.#renewing.delete(part);
    }
    if (renewal.again) await this.#renewIn(part);
  }
}
