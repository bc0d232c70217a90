import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { activity, createClient, createWorker, signal, workflow } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { journal } from "../src/backend.ts";

let folder = "";
const opened: StorageBackend[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "perdure-journal-"));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((storage) => storage.close()));
  rmSync(folder, { recursive: true, force: true });
});

const pathOf = (name: string): string => join(folder, name);

async function open(path: string, namespace = "default"): Promise<StorageBackend> {
  const storage = journal({ path, namespace });
  opened.push(storage);
  await storage.setup();
  return storage;
}

/** All that can be seen of a store, but for the time. */
async function view(storage: StorageBackend): Promise<unknown> {
  const { now: _, ...stats } = await storage.stats();
  const { items } = await storage.listRuns({ limit: 1_000 });
  const runs = await Promise.all(items.map(({ runId }) => storage.getRun(runId)));
  const histories = await storage.readEvents(items.map(({ runId }) => ({ runId, after: 0 })));
  return { stats, items, runs, histories, cache: await storage.readCache(["k"]) };
}

function write(storage: StorageBackend): Promise<unknown> {
  return storage.writeCache([{ key: "k", value: "1", expiresAt: null, mode: "first" }]);
}

const approved = signal("approved");
const rate = activity({ name: "rate" }, async (currency: string) => (currency === "EUR" ? 2 : 1));
const convert = workflow({ name: "convert" }, async (ctx, amount: number) => {
  await ctx.waitFor(approved);
  await ctx.sleep(5);
  return amount * (await ctx.run(rate, "EUR"));
});
const parent = workflow({ name: "parent" }, async (ctx, amount: number) => {
  const child = ctx.child(convert, amount);
  await child.signal(approved, null);
  return child;
});

/** Runs of every kind: completed ones, one with a child, one that waits for ever. */
async function work(storage: StorageBackend): Promise<void> {
  const worker = createWorker({ storage, workflows: [convert, parent] });
  const working = worker.run();
  const client = createClient({ storage });
  const runs = await Promise.all([1, 2, 3].map((amount) => client.start(convert, amount)));
  const family = await client.start(parent, 4);
  await client.start(convert, 5);
  await write(storage);
  await Promise.all(runs.map((run) => run.signal(approved, null)));
  expect(await Promise.all([...runs, family].map((run) => run.result()))).toEqual([2, 4, 6, 8]);
  await worker.stop();
  await working;
  await client.close();
}

describe("the state", () => {
  it("is what the journal says: folded anew, it is the same", async () => {
    const path = pathOf("store");
    const lived = await open(path);
    const watched = await open(path);
    await work(lived);
    const expected = await view(lived);
    expect(expected).toMatchObject({ stats: { runs: { completed: 5, open: 1 } }, cache: [{ value: "1" }] });
    expect(await view(watched)).toEqual(expected);
    expect(await view(await open(path))).toEqual(expected);
  });

  it("of one namespace is nothing to another in the same file (I21)", async () => {
    await work(await open(pathOf("store"), "a"));
    const { runs } = await (await open(pathOf("store"), "b")).stats();
    expect(runs).toEqual({ open: 0, completed: 0, failed: 0, cancelled: 0 });
  });
});

describe("a journal that was cut short", () => {
  it("is good up to any byte: what is there of the last line was never answered (I3)", async () => {
    await work(await open(pathOf("store")));
    const whole = readFileSync(pathOf("store"));
    const lastLine = whole.lastIndexOf("\n", whole.length - 2);
    writeFileSync(pathOf("before"), whole.subarray(0, lastLine));
    const before = await view(await open(pathOf("before")));
    for (const end of [lastLine + 1, lastLine + 2, lastLine + 40, whole.length - 2]) {
      writeFileSync(pathOf("torn"), whole.subarray(0, end));
      const torn = await open(pathOf("torn"));
      expect(await view(torn)).toEqual(before);
      await work(torn);
      expect(await view(await open(pathOf("torn")))).toEqual(await view(torn));
    }
  });

  it("of newer code is refused, also by those who have it open, and for good (I25)", async () => {
    const storage = await open(pathOf("store"));
    await work(storage);
    appendFileSync(pathOf("store"), '\n{"version":2}\n');
    const size = readFileSync(pathOf("store")).length;
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(write(storage)).rejects.toMatchObject({ code: "schema-version" });
    }
    await expect(open(pathOf("store"))).rejects.toMatchObject({ code: "schema-version" });
    expect(readFileSync(pathOf("store"))).toHaveLength(size);
  });

  it("under an open client is noticed", async () => {
    const storage = await open(pathOf("store"));
    await work(storage);
    writeFileSync(pathOf("store"), "");
    await expect(write(storage)).rejects.toMatchObject({ code: "corrupt" });
  });
});
