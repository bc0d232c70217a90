import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isPerdureError, type StorageBackend } from "@perdure/core/storage";
import { describe, expect, it } from "vitest";
import { compactFolder, file } from "../src/index.ts";
import { anyTask, lastTurn, newRun, see, turn } from "./scene.ts";
import { scratchFolder } from "./scratch.ts";

const LINE_BREAK = 0x0a;
const BLANK = 0x20;
const RUN_IDS = ["a", "b", "c"];

/** A store that was closed, and what it shows of each run. */
async function sampleStore(isCompacted: boolean): Promise<{ folder: string; sights: ReadonlyMap<string, string> }> {
  const folder = join(scratchFolder(), "store");
  const storage = file(folder);
  await storage.setup();
  await storage.createRuns(RUN_IDS.map((runId) => newRun(runId)));
  const { tasks } = await storage.claimTasks(anyTask());
  for (const { claim } of tasks) await storage.commitTasks([turn(claim, 1)]);
  if (isCompacted) await compactFolder(folder);
  for (const { claim } of tasks) await storage.commitTasks([lastTurn(claim, 2)]);
  const sights = new Map<string, string>();
  for (const runId of RUN_IDS) sights.set(runId, JSON.stringify(await see(storage, runId)));
  await storage.close();
  return { folder, sights };
}

/** What a call answers, or where it says that the store is damaged. */
async function outcomeOf(call: Promise<unknown>): Promise<string | { readonly file: string; readonly offset: number }> {
  try {
    return JSON.stringify(await call);
  } catch (error) {
    if (!isPerdureError(error) || error.code !== "corrupt") throw error;
    return error.details as { readonly file: string; readonly offset: number };
  }
}

async function withStore<T>(folder: string, use: (storage: StorageBackend) => Promise<T>): Promise<T> {
  const storage = file({ path: folder, synchronous: "off" });
  try {
    await storage.setup();
    return await use(storage);
  } finally {
    await storage.close();
  }
}

describe.each([
  ["a journal", false, "journal-000001.log"],
  ["a snapshot", true, "snapshot-000002.log"],
  ["a journal after a snapshot", true, "journal-000002.log"],
])("a flipped bit in %s", (_, isCompacted, name) => {
  it(
    "is reported with file and offset, and costs the run that it is in at most (I4)",
    { timeout: 240_000 },
    async () => {
      const { folder, sights } = await sampleStore(isCompacted);
      const path = join(folder, name);
      const bytes = readFileSync(path);
      let unreadable = 0;
      for (const [at, byte] of bytes.entries()) {
        // Every byte between words and lines, and every fourth of the others.
        if (at % 4 !== 0 && byte !== LINE_BREAK && byte !== BLANK) continue;
        const flipped = Buffer.from(bytes);
        flipped[at]! ^= 1 << (at % 8);
        writeFileSync(path, flipped);
        await withStore(folder, async (storage) => {
          const what = `bit ${at % 8} of byte ${at}`;
          expect(await outcomeOf(storage.createRuns([newRun("new")])), what).toMatchObject({ file: path });
          const outcomes = new Map<string, unknown>();
          for (const runId of RUN_IDS) outcomes.set(runId, await outcomeOf(see(storage, runId)));
          const damaged = RUN_IDS.filter((runId) => outcomes.get(runId) !== sights.get(runId));
          for (const runId of damaged) {
            const { file: where, offset } = outcomes.get(runId) as { readonly file: string; readonly offset: number };
            expect(where, what).toBe(path);
            // The line that the bit is in begins there.
            expect(offset, what).toBeLessThanOrEqual(at);
            expect(bytes.subarray(offset, at).includes("\n\n"), what).toBe(false);
          }
          // A line break may stand between two of them.
          expect(damaged.length, what).toBeLessThanOrEqual(byte === LINE_BREAK ? 2 : 1);
          unreadable += damaged.length;
        });
        expect(readFileSync(path).equals(flipped), "nothing is cut off or added").toBe(true);
      }
      expect(unreadable).toBeGreaterThan(bytes.length / 16);
    },
  );
});

describe("a damaged store", () => {
  it("is read as far as it is good, and lists nothing that may be missing", async () => {
    const { folder, sights } = await sampleStore(false);
    const path = join(folder, "journal-000001.log");
    writeFileSync(path, readFileSync(path, "utf8").replace('"runId":"b"', '"runId":"B"'));
    await withStore(folder, async (storage) => {
      expect(JSON.stringify(await see(storage, "a"))).toBe(sights.get("a"));
      for (const call of [() => see(storage, "b"), () => storage.listRuns({ limit: 10 }), () => storage.stats()]) {
        await expect(call()).rejects.toMatchObject({ code: "corrupt", details: { file: path } });
      }
    });
  });

  it("shows nothing when it is not known what is missing", async () => {
    const { folder } = await sampleStore(false);
    const path = join(folder, "journal-000001.log");
    // A page of the file that was never written.
    writeFileSync(path, readFileSync(path).fill(0, 300, 1_200));
    await withStore(folder, async (storage) => {
      for (const runId of RUN_IDS) await expect(see(storage, runId)).rejects.toMatchObject({ code: "corrupt" });
    });
  });

  it("is known by a snapshot that has no end", async () => {
    const { folder } = await sampleStore(true);
    const name = readdirSync(folder).find((one) => one.startsWith("snapshot"))!;
    truncateSync(join(folder, name), 200);
    await withStore(folder, async (storage) => {
      await expect(see(storage, "a")).rejects.toMatchObject({ code: "corrupt", details: { file: join(folder, name) } });
    });
  });

  it("is known by a journal that has become shorter under its readers", async () => {
    const { folder } = await sampleStore(false);
    await withStore(folder, async (storage) => {
      truncateSync(join(folder, "journal-000001.log"), 500);
      await expect(storage.createRuns([newRun("new")])).rejects.toMatchObject({ code: "corrupt" });
    });
  });

  it("is not compacted", async () => {
    const { folder } = await sampleStore(false);
    const path = join(folder, "journal-000001.log");
    writeFileSync(path, readFileSync(path, "utf8").replace('"runId":"b"', '"runId":"B"'));
    const before = readdirSync(folder);
    await expect(compactFolder(folder)).rejects.toMatchObject({ code: "corrupt" });
    expect(readdirSync(folder)).toEqual(before);
  });
});

it("a copy of the folder is a backup", async () => {
  const { folder, sights } = await sampleStore(true);
  const copy = `${folder}-copy`;
  cpSync(folder, copy, { recursive: true });
  rmSync(folder, { recursive: true });
  await withStore(copy, async (storage) => {
    expect(JSON.stringify(await see(storage, "a"))).toBe(sights.get("a"));
    expect(await storage.createRuns([newRun("new")])).toMatchObject([{ status: "created" }]);
  });
});
