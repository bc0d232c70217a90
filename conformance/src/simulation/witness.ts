import type {
  Claim,
  ClaimRequest,
  ClaimResult,
  CommitResult,
  EventPage,
  EventRequest,
  Millis,
  NewEvent,
  NewRun,
  CreateRunResult,
  DeliverResult,
  NewMessage,
  RenewResult,
  TaskCommit,
} from "@perdure/core/storage";
import { check } from "../assert.ts";
import type { Exchange } from "./network.ts";

/** How the engine's message of a signal begins. */
const SIGNAL = '{"kind":"signal"';

/** Who holds a task, as far as the answers of the store have said. */
interface Owner {
  readonly instance: string;
  readonly epoch: number;
  until: Millis;
  /** By a commit that was applied. */
  gaveUp: boolean;
}

/** An event that the store has acknowledged: when by its own clock, and when by one that is never set. */
export interface Acknowledged extends NewEvent {
  readonly now: Millis;
  readonly trulyAt: Millis;
}

/**
 * Sees every call in the order in which the store carries them out, and that no answer breaks a promise: histories grow and never
 * change (I1, I2, I4), and nobody but the newest owner writes (I6, I7), who is not robbed (I8).
 */
export class Witness {
  /** Of each run and incarnation. */
  readonly histories = new Map<string, Acknowledged[]>();
  /** Ids of the signals that each run's inbox has accepted. */
  readonly accepted = new Map<string, string[]>();
  /** Refusals that were seen, by what was refused. */
  readonly refused = { commit: 0, renewal: 0 };
  /** Tasks that were taken from an owner that had not given them up. */
  steals = 0;
  #trulyAt = 0;
  readonly #owners = new Map<string, Owner>();
  #failure: { readonly error: unknown } | null = null;

  /** Looks at a call. What it finds is thrown by {@link check}: nobody is to blame for it but the store. */
  see(exchange: Exchange, trulyAt: Millis): void {
    this.#trulyAt = trulyAt;
    try {
      this.#look(exchange);
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  /** @throws ConformanceFailure the first broken promise */
  check(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  #look({ verb, args, answer }: Exchange): void {
    if ("error" in answer) return;
    const [first] = args;
    const { value } = answer;
    if (verb === "createRuns") this.#created(first as readonly NewRun[], value as readonly CreateRunResult[]);
    if (verb === "claimTasks") this.#claimed(first as ClaimRequest, value as ClaimResult);
    if (verb === "renewLeases") this.#renewed(first as readonly Claim[], value as readonly RenewResult[]);
    if (verb === "commitTasks") this.#committed(first as readonly TaskCommit[], value as readonly CommitResult[]);
    if (verb === "deliver") this.#delivered(first as readonly NewMessage[], value as readonly DeliverResult[]);
    if (verb === "readEvents") this.#read(first as readonly EventRequest[], value as readonly EventPage[]);
  }

  #created(runs: readonly NewRun[], results: readonly CreateRunResult[]): void {
    for (const [at, { runId, incarnation, started }] of runs.entries()) {
      if (results[at]!.status !== "created") continue;
      check(!this.histories.has(runId), `run "${runId}" is created once (I15)`);
      check(results[at]!.run.incarnation === incarnation, `run "${runId}" is the one that was created (I15)`);
      this.histories.set(runId, [{ ...started, now: started.at, trulyAt: this.#trulyAt }]);
    }
  }

  #delivered(messages: readonly NewMessage[], results: readonly DeliverResult[]): void {
    for (const [at, { runId, dedupeId, data }] of messages.entries()) {
      if (results[at]!.status !== "accepted" || !data.startsWith(SIGNAL)) continue;
      const accepted = this.accepted.get(runId);
      if (accepted === undefined) this.accepted.set(runId, [dedupeId]);
      else accepted.push(dedupeId);
    }
  }

  #claimed({ workerInstance, leaseMs }: ClaimRequest, { now, tasks }: ClaimResult): void {
    for (const { claim, leaseUntil } of tasks) {
      const before = this.#owners.get(claim.taskId);
      check(claim.epoch > (before?.epoch ?? 0), `epoch ${claim.epoch} of task ${claim.taskId} is new (I6)`);
      if (before?.gaveUp === false && before.instance !== workerInstance) {
        check(
          now >= before.until,
          `task ${claim.taskId} is not taken from its owner ${before.until - now} ms early (I8)`,
        );
        this.steals += 1;
      }
      check(leaseUntil === now + leaseMs, `the lease of task ${claim.taskId} ends ${leaseMs} ms after its claim (I8)`);
      this.#owners.set(claim.taskId, {
        instance: workerInstance,
        epoch: claim.epoch,
        until: leaseUntil,
        gaveUp: false,
      });
    }
  }

  #renewed(claims: readonly Claim[], results: readonly RenewResult[]): void {
    for (const [at, claim] of claims.entries()) {
      const result = results[at]!;
      if (result.status === "lost") {
        this.refused.renewal += 1;
        continue;
      }
      this.#owner(claim, "renewal").until = result.leaseUntil;
    }
  }

  #committed(commits: readonly TaskCommit[], results: readonly CommitResult[]): void {
    for (const [at, commit] of commits.entries()) {
      const result = results[at]!;
      if (result.status === "lease-lost") this.refused.commit += 1;
      if (result.status !== "ok") continue;
      const { claim, next } = commit;
      const owner = this.#owner(claim, "commit");
      owner.gaveUp = next.do !== "hold";
      if (commit.kind === "activity") continue;
      const history = this.histories.get(claim.runId);
      check(history, `run "${claim.runId}", which goes on, was created`);
      check(
        commit.expectedSeq === history.length,
        `a commit of run "${claim.runId}" after event ${commit.expectedSeq} is refused when there are ${history.length} (I7)`,
      );
      history.push(...commit.events.map((event) => ({ ...event, now: result.now, trulyAt: this.#trulyAt })));
    }
  }

  /** The task's owner, who alone may write. */
  #owner({ taskId, epoch }: Claim, what: string): Owner {
    const owner = this.#owners.get(taskId);
    check(owner, `a ${what} of task ${taskId}, which nobody has claimed, is refused (I6)`);
    check(
      epoch === owner.epoch,
      `a ${what} of task ${taskId} under epoch ${epoch} is refused after epoch ${owner.epoch} (I6)`,
    );
    check(!owner.gaveUp, `a ${what} of task ${taskId} is refused when its claim has ended (I6)`);
    return owner;
  }

  #read(requests: readonly EventRequest[], pages: readonly EventPage[]): void {
    for (const [at, { runId, after }] of requests.entries()) {
      const { events } = pages[at]!;
      const history = this.histories.get(runId) ?? [];
      for (const [place, event] of events.entries()) {
        const stored = history[after + place];
        const isSame =
          event.seq === after + place + 1 &&
          event.type === stored?.type &&
          event.command === stored.command &&
          event.data === stored.data;
        check(isSame, `event ${after + place + 1} of run "${runId}" is read as it was acknowledged (I2, I4)`);
      }
    }
  }
}
