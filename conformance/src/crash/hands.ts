import type { LedgerEntry } from "./ledger.ts";

/** What a worker has in its hands. */
interface Handful {
  /** Runs. */
  readonly held: Set<string>;
  /** Executions of activities. */
  readonly running: Set<string>;
}

/** Follows a ledger for what each worker has in its hands. */
export class Hands {
  readonly #workers = new Map<string, Handful>();
  #read = 0;

  of(by: string, ledger: readonly LedgerEntry[]): Handful {
    for (; this.#read < ledger.length; this.#read++) this.#take(ledger[this.#read]!);
    return this.#handful(by);
  }

  #take(entry: LedgerEntry): void {
    const { held, running } = this.#handful(entry.by);
    const { what, run } = entry;
    if (what === "claimed") held.add(run);
    else if (what === "refused" || (what === "acked" && entry.next !== "hold")) held.delete(run);
    else if (what === "began" || what === "took") running.add(entry.execution);
    else if (what === "ended") running.delete(entry.execution);
  }

  #handful(by: string): Handful {
    let handful = this.#workers.get(by);
    if (handful === undefined) this.#workers.set(by, (handful = { held: new Set(), running: new Set() }));
    return handful;
  }
}
