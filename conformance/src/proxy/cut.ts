/** Which request of a client a cut waits for: the n-th from now on, or the first whose bytes satisfy a predicate. */
export type Aim = number | ((clientBytes: Buffer) => boolean);

/**
 * Where a connection is cut.
 * - `before`: the request never reaches the server.
 * - `after`: the server has answered it, and the client never hears the answer.
 */
export type CutMoment = "before" | "after";

/** A cut that waits for its request. It happens once. */
export interface Cut {
  /** Whether the connection was cut. */
  readonly happened: boolean;
  /** It waits no longer. */
  disarm(): void;
}

export class PlannedCut implements Cut {
  readonly moment: CutMoment;
  readonly #aim: Aim;
  #seen = 0;
  #armed = true;
  #happened = false;

  constructor(moment: CutMoment, aim: Aim) {
    this.moment = moment;
    this.#aim = aim;
  }

  get happened(): boolean {
    return this.#happened;
  }

  /** Whether it still waits. */
  get armed(): boolean {
    return this.#armed;
  }

  disarm(): void {
    this.#armed = false;
  }

  /** Whether these bytes are what it waits for. `begins`: they are the first of a request. */
  hits(bytes: Buffer, begins: boolean): boolean {
    if (!this.#armed) return false;
    if (begins) this.#seen += 1;
    const hit = typeof this.#aim === "number" ? begins && this.#seen === this.#aim : this.#aim(bytes);
    if (hit) this.#armed = false;
    return hit;
  }

  note(): void {
    this.#happened = true;
  }
}
