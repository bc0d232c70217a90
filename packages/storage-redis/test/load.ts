import { setTimeout as sleep } from "node:timers/promises";
import { createClient, createWorker, type Logger, workflow } from "@perdure/core";
import { isPerdureError, type StorageBackend, type StoredEvent } from "@perdure/core/storage";
import { expect } from "vitest";

const STEPS = 4;
/** A load that begins, or goes on, has so many more runs started. */
const RUNS = 20;
const PATIENCE_MS = 30_000;

const count = workflow({ name: "count" }, async (ctx, n: number) => {
  let sum = 0;
  for (let step = 1; step <= STEPS; step++) {
    sum += await ctx.run(`step-${step}`, () => n * step);
    if (step === 2) await ctx.sleep("20ms");
  }
  return sum;
});

/** A time in which something went wrong, by `performance.now()`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A worker, and a client that starts runs all the time, over a storage each. */
export class Load {
  readonly #working: StorageBackend;
  readonly #starting: StorageBackend;
  /** When each start was acknowledged. */
  readonly #started = new Map<string, number>();
  /** Histories that were read on the way. */
  readonly #seen: { readonly at: number; readonly runId: string; readonly events: readonly StoredEvent[] }[] = [];
  readonly #over = new AbortController();
  readonly #codes: string[] = [];
  readonly #end: () => Promise<void>;

  private constructor(open: () => StorageBackend) {
    this.#working = open();
    this.#starting = open();
    const worker = createWorker({ storage: this.#working, workflows: [count], lease: "2s", logger: this.#logger() });
    const worked = worker.run();
    const starts = this.#start();
    this.#end = async () => {
      this.#over.abort();
      await starts;
      await worker.stop();
      await worked;
    };
  }

  /** Resolves when it is under way. */
  static async begin(open: () => StorageBackend): Promise<Load> {
    const load = new Load(open);
    await load.goOn();
    return load;
  }

  /** What the worker has logged, by its codes. */
  get codes(): readonly string[] {
    return this.#codes;
  }

  /** Resolves when more runs were started, and the last of them has ended. */
  async goOn(): Promise<void> {
    const before = this.#started.size;
    await expect
      .poll(() => this.#started.size, { interval: 10, timeout: PATIENCE_MS })
      .toBeGreaterThanOrEqual(before + RUNS);
    const client = createClient({ storage: this.#starting });
    await client.handle([...this.#started.keys()].at(-1)!, count).result({ timeout: PATIENCE_MS });
    await client.close();
  }

  /** Reads histories on the way, to be compared with the last ones. */
  async look(): Promise<void> {
    const at = performance.now();
    const { items } = await this.#starting.listRuns({ limit: 200 });
    const pages = await this.#starting.readEvents(items.map(({ runId }) => ({ runId, after: 0 })));
    pages.forEach(({ events }, index) => this.#seen.push({ at, runId: items[index]!.runId, events }));
  }

  /**
   * Has no more runs started, and requires that every run ends with its result, each step recorded once and nothing missing in its
   * history, and that what was acknowledged is there.
   * @param lossy when writes were acknowledged that may have been lost
   * @returns how many acknowledged starts were lost
   */
  async settle(lossy?: Span): Promise<number> {
    const mayBeLost = (at: number): boolean => lossy !== undefined && lossy.from <= at && at <= lossy.to;
    this.#over.abort();
    const runIds = [...this.#started.keys()];
    const found = await Promise.all(runIds.map((runId) => this.#starting.getRun(runId)));
    const lost = runIds.filter((_, at) => found[at] === undefined);
    expect(lost.filter((runId) => !mayBeLost(this.#started.get(runId)!))).toEqual([]);

    const kept = runIds.filter((_, at) => found[at] !== undefined);
    const client = createClient({ storage: this.#starting });
    const results = await Promise.all(
      kept.map((runId) => client.handle(runId, count).result({ timeout: PATIENCE_MS })),
    );
    expect(results).toEqual(kept.map((runId) => Number(runId.slice(4)) * 10));
    await client.close();

    const histories = new Map<string, readonly StoredEvent[]>();
    const pages = await this.#starting.readEvents(kept.map((runId) => ({ runId, after: 0 })));
    pages.forEach(({ events }, at) => histories.set(kept[at]!, events));
    for (const events of histories.values()) {
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      expect(events.filter(({ type }) => type === "ACTIVITY_COMPLETED")).toHaveLength(STEPS);
    }
    for (const { runId, events } of this.#seen.filter(({ at }) => !mayBeLost(at)))
      expect(histories.get(runId)?.slice(0, events.length)).toEqual(events);
    return lost.length;
  }

  /** Ends all that works. */
  async close(): Promise<void> {
    await this.#end();
    await Promise.all([this.#working.close(), this.#starting.close()]);
  }

  async #start(): Promise<void> {
    const client = createClient({ storage: this.#starting });
    for (let n = 0; !this.#over.signal.aborted; n++) {
      const runId = `run-${n}`;
      try {
        await client.start(count, n, { id: runId });
        this.#started.set(runId, performance.now());
      } catch (error) {
        if (!isPerdureError(error, "unavailable")) throw error;
      }
      await sleep(5);
    }
    await client.close();
  }

  #logger(): Logger {
    const log = (_: string, fields?: { readonly code?: unknown }): void => {
      // Of a machine that is busy.
      if (fields?.code !== "event-loop-blocked") this.#codes.push(String(fields?.code));
    };
    return { debug() {}, info: log, warn: log, error: log };
  }
}
