import type { Runtime } from "@perdure/core";

/** A process of the simulated world. It can stand still for a while, and it can be killed: then nothing that belongs to it goes on. */
export class SimulatedProcess {
  readonly name: string;
  readonly runtime: Runtime;
  readonly #timers = new Set<() => void>();
  #state: "runs" | "stands still" | "is dead" = "runs";
  /** What goes on when the process does. */
  #held: (() => void)[] = [];
  #stepsLeft: number;

  /**
   * @param bootedAt what its own clock shows when the world begins
   * @param steps it dies before it goes on for this time: at any await
   */
  constructor(name: string, runtime: Runtime, bootedAt: number, steps = Infinity) {
    this.name = name;
    this.#stepsLeft = steps;
    this.runtime = {
      monotonic: () => bootedAt + runtime.monotonic(),
      after: (ms, fn, options) => this.#after(runtime, ms, fn, options),
      defer: (fn) => runtime.defer(() => this.go(fn)),
      settle: () => new Promise((resolve) => void runtime.settle().then(() => this.go(resolve))),
      id: runtime.id,
      random: runtime.random,
    };
  }

  get isDead(): boolean {
    return this.#state === "is dead";
  }

  /** Calls back now, or when the process does not stand still any more, or never. */
  go(fn: () => void): void {
    if (this.#state === "stands still") this.#held.push(fn);
    if (this.#state !== "runs") return;
    this.#stepsLeft -= 1;
    if (this.#stepsLeft < 0) this.kill();
    else fn();
  }

  pause(): void {
    if (this.#state === "runs") this.#state = "stands still";
  }

  resume(): void {
    if (this.#state !== "stands still") return;
    this.#state = "runs";
    const held = this.#held;
    this.#held = [];
    for (const fn of held) this.go(fn);
  }

  /** It never dies by itself from now on. */
  spare(): void {
    this.#stepsLeft = Infinity;
  }

  kill(): void {
    this.#state = "is dead";
    this.#held = [];
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #after(runtime: Runtime, ms: number, fn: () => void, options: { readonly poll?: boolean } | undefined): () => void {
    if (this.isDead) return () => {};
    let isPending = true;
    const cancel = runtime.after(
      ms,
      () => {
        this.#timers.delete(cancel);
        this.go(() => isPending && fn());
      },
      options,
    );
    this.#timers.add(cancel);
    return () => {
      isPending = false;
      this.#timers.delete(cancel);
      cancel();
    };
  }
}
