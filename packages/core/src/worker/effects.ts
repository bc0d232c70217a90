import { cancelChild, createChild, sendIntent } from "../batch/effects.ts";
import { childFailed, childStarted } from "../engine/child-events.ts";
import type { Execution } from "../engine/execution.ts";
import type { InheritedChild, OpenChild } from "../engine/open-command.ts";
import { isPerdureError } from "../errors/index.ts";
import type { Failure } from "../model/failure.ts";
import type { Seq } from "../model/ids.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Lease } from "./lease.ts";

/** The outcome of an effect, to be recorded. */
export type EffectOutcome =
  | { readonly kind: "child-created"; readonly command: number; readonly failure: Failure | null }
  | { readonly kind: "sent"; readonly command: number; readonly status: "accepted" | "closed" | "unknown" }
  | { readonly kind: "child-told"; readonly child: OpenChild | InheritedChild };

/** Records what has come of an effect. */
export async function recordOutcome(execution: Execution, outcome: EffectOutcome): Promise<void> {
  switch (outcome.kind) {
    case "child-created":
      if (outcome.failure !== null) return childFailed(execution, outcome.command, outcome.failure);
      return childStarted(execution, outcome.command);
    case "child-told":
      outcome.child.cancelOwed = false;
      return;
    case "sent":
      return execution.signalDelivered(outcome.command, outcome.status);
  }
}

/** Carries out what a run's recorded intents ask for: children, and messages to other runs. */
export class Effects {
  readonly #environment: WorkerEnvironment;
  readonly #execution: Execution;
  readonly #done: (outcome: EffectOutcome) => void;
  readonly #failed: (error: unknown) => void;
  readonly #lease: Lease;
  /** Intents and children that something is being done about. */
  readonly #underway = new Set<object>();

  constructor(
    environment: WorkerEnvironment,
    execution: Execution,
    lease: Lease,
    on: { readonly done: (outcome: EffectOutcome) => void; readonly failed: (error: unknown) => void },
  ) {
    this.#environment = environment;
    this.#execution = execution;
    this.#lease = lease;
    this.#done = on.done;
    this.#failed = on.failed;
  }

  /** An intent waits for its outcome: nothing may be decided about it before. */
  get open(): boolean {
    const { children, sends } = this.#execution.open;
    if (sends.size > 0) return true;
    for (const child of children.values()) if (!child.started) return true;
    return false;
  }

  /** A child does not know yet that its parent was cancelled. */
  get childToTell(): boolean {
    const { open, cancelRequested } = this.#execution;
    if (cancelRequested === null) return false;
    for (const { cancelOwed } of open.childrenLeft()) if (cancelOwed) return true;
    return false;
  }

  /** Starts all effects whose intent is durable. */
  start(durable: Seq): void {
    const { run, open } = this.#execution;
    const { children, sends } = open;
    if (children.size + open.inherited.size + sends.size === 0) return;
    const { access, codec } = this.#environment;
    for (const child of children.values()) {
      const { command } = child;
      if (!child.started && child.seq <= durable) {
        this.#carryOut(child, async () => ({
          kind: "child-created",
          command,
          failure: await createChild(access, codec, run, child),
        }));
      }
    }
    if (this.childToTell) this.#tellChildren();
    for (const send of sends.values()) {
      const { command } = send;
      if (send.seq <= durable && !this.#isBeingCreated(send.runId)) {
        this.#carryOut(send, async () => ({
          kind: "sent",
          command,
          status: await sendIntent(access, codec, run, send),
        }));
      }
    }
  }

  /** Passes a cancel of this run on to its children. */
  #tellChildren(): void {
    const { access, codec } = this.#environment;
    const { run, open } = this.#execution;
    for (const child of open.childrenLeft()) {
      if (!child.cancelOwed || ("started" in child && !child.started)) continue;
      this.#carryOut(child, async () => {
        await cancelChild(access, codec, run, child);
        return { kind: "child-told", child };
      });
    }
  }

  /** A message to a child must not overtake its creation. */
  #isBeingCreated(runId: string): boolean {
    for (const child of this.#execution.open.children.values())
      if (child.runId === runId && !child.started) return true;
    return false;
  }

  async #finish(cause: object, effect: () => Promise<EffectOutcome>): Promise<void> {
    try {
      const outcome = await this.#patiently(effect);
      this.#underway.delete(cause);
      this.#done(outcome);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Waits for a storage that is unavailable, for as long as nobody else can own the run. */
  async #patiently(effect: () => Promise<EffectOutcome>): Promise<EffectOutcome> {
    for (;;) {
      try {
        return await effect();
      } catch (error) {
        if (!isPerdureError(error, "unavailable") || !this.#lease.proven) throw error;
      }
    }
  }

  #carryOut(cause: object, effect: () => Promise<EffectOutcome>): void {
    if (this.#underway.has(cause)) return;
    this.#underway.add(cause);
    void this.#finish(cause, effect);
  }
}
