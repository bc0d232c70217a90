import type { Millis } from "../model/ids.ts";
import type { WorkerEnvironment } from "./environment.ts";

/** Rings once, at the earliest of the times that were asked for. */
export class Alarm {
  readonly #environment: Pick<WorkerEnvironment, "access" | "runtime">;
  readonly #ring: () => void;
  #cancel: (() => void) | null = null;
  #at: Millis = Infinity;

  constructor(environment: Pick<WorkerEnvironment, "access" | "runtime">, ring: () => void) {
    this.#environment = environment;
    this.#ring = ring;
  }

  /** By the storage's clock. `poll`: see Runtime.after. */
  setFor(at: Millis, options?: { readonly poll: boolean }): void {
    if (this.#at <= at) return;
    const { access, runtime } = this.#environment;
    this.callOff();
    this.#at = at;
    const ring = (): void => {
      this.callOff();
      this.#ring();
    };
    this.#cancel = runtime.after(at - access.clock.earliest(), ring, options);
  }

  callOff(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#at = Infinity;
  }
}
