import type { Head } from "./documents.ts";

/** A head as it was read or written, and the etag that it has then. */
export interface Known {
  readonly head: Head;
  readonly etag: string;
}

const MOST = 10_000;

/** The heads that this client has written or read last. They may be old: a write under their etag shows it. */
export class Heads {
  readonly #heads = new Map<string, Known>();

  get(partition: string): Known | undefined {
    return this.#heads.get(partition);
  }

  set(partition: string, known: Known): void {
    this.#heads.delete(partition);
    this.#heads.set(partition, known);
    if (this.#heads.size > MOST) this.#heads.delete(this.#heads.keys().next().value!);
  }

  delete(partition: string): void {
    this.#heads.delete(partition);
  }
}
