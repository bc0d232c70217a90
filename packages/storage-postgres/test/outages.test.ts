import { setTimeout as sleep } from "node:timers/promises";
import { createClient, createWorker, type Logger, workflow } from "@perdure/core";
import { isPerdureError, type StorageBackend, type StoredEvent } from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";
import { startPostgres, type TestServer } from "perdure-servers";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server.stop());

const STEPS = 4;

/** Ends every connection but its own. */
async function terminateAll(): Promise<void> {
  const admin = new pg.Client(server.url);
  await admin.connect();
  await admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'",
  );
  await admin.end();
}

function recordingLogger(): { readonly codes: string[]; readonly logger: Logger } {
  const codes: string[] = [];
  const log = (_: string, fields?: { readonly code?: unknown }): void => {
    // Of a machine that is busy.
    if (fields?.code !== "event-loop-blocked") codes.push(String(fields?.code));
  };
  return { codes, logger: { debug() {}, info: log, warn: log, error: log } };
}

/** Starts runs all the time, and tells of each start that was acknowledged. */
async function startRuns(storage: StorageBackend, until: AbortSignal, started: string[]): Promise<void> {
  const client = createClient({ storage });
  for (let n = 0; !until.aborted; n++) {
    const runId = `run-${n}`;
    try {
      await client.start(count, n, { id: runId });
      started.push(runId);
    } catch (error) {
      if (!isPerdureError(error, "unavailable")) throw error;
    }
    await sleep(5);
  }
  await client.close();
}

const count = workflow({ name: "count" }, async (ctx, n: number) => {
  let sum = 0;
  for (let step = 1; step <= STEPS; step++) {
    sum += await ctx.run(`step-${step}`, () => n * step);
    if (step === 2) await ctx.sleep("20ms");
  }
  return sum;
});

/** Each is told what the worker has logged. */
const outages: Record<string, (codes: readonly string[]) => Promise<void>> = {
  "an administrator ends all connections, three times": async () => {
    for (let n = 0; n < 3; n++) {
      await sleep(100);
      await terminateAll();
    }
  },
  "it is stopped and started again": () => server.restart(),
  "it is killed, and started when the worker has noticed": async (codes) => {
    await server.kill();
    await sleep(1_000);
    await expect.poll(() => codes.at(-1), { interval: 10, timeout: 10_000 }).toBe("storage-unavailable");
    await server.restart();
  },
};

describe("a server under load", () => {
  test.each(Object.keys(outages))(
    "%s: nothing acknowledged is lost, no process ends, and the worker goes on by itself (I4, I9, I12)",
    { timeout: 60_000 },
    async (what) => {
      const schema = `outage_${Object.keys(outages).indexOf(what)}`;
      const [working, starting] = [postgres({ url: server.url, schema }), postgres({ url: server.url, schema })];
      const { codes, logger } = recordingLogger();
      const worker = createWorker({ storage: working, workflows: [count], lease: "5s", logger });
      const worked = worker.run();
      const over = new AbortController();
      const started: string[] = [];
      const starts = startRuns(starting, over.signal, started);
      await expect.poll(() => started.length, { interval: 10, timeout: 20_000 }).toBeGreaterThan(20);

      const seen = new Map<string, readonly StoredEvent[]>();
      const { items } = await starting.listRuns({ limit: 1000 });
      const pages = await starting.readEvents(items.map(({ runId }) => ({ runId, after: 0 })));
      pages.forEach(({ events }, at) => seen.set(items[at]!.runId, events));
      await outages[what]!(codes);
      const before = started.length;
      await expect.poll(() => started.length, { interval: 10, timeout: 20_000 }).toBeGreaterThan(before + 20);
      over.abort();
      await starts;

      const client = createClient({ storage: starting });
      const results = await Promise.all(started.map((runId) => client.handle(runId, count).result({ timeout: "30s" })));
      expect(results).toEqual(started.map((runId) => Number(runId.slice(4)) * 10));
      const after = await starting.readEvents(started.map((runId) => ({ runId, after: 0 })));
      started.forEach((runId, at) => {
        const { events } = after[at]!;
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
        expect(events.filter(({ type }) => type === "ACTIVITY_COMPLETED")).toHaveLength(STEPS);
        const known = seen.get(runId) ?? [];
        expect(events.slice(0, known.length)).toEqual(known);
      });
      await worker.stop();
      await worked;
      await client.close();
      await Promise.all([working.close(), starting.close()]);
      // It says so when it begins and when it is over, not each time that it tries.
      expect(codes.length).toBeLessThanOrEqual(8);
      expect(codes).toEqual(codes.map((_, at) => (at % 2 === 0 ? "storage-unavailable" : "storage-available")));
      if (what.includes("killed")) expect(codes.at(-1)).toBe("storage-available");
    },
  );
});
