import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { StorageBackend } from "@perdure/core/storage";
import { describe, expect, it } from "vitest";
import { FileBackend } from "../src/backend.ts";
import { DISK } from "../src/disk.ts";
import { type FileOptions, settingsOf } from "../src/options.ts";
import { afterKill, afterPowerLoss, type Remains } from "./crash.ts";
import { recordingDisk, type Step } from "./recording-disk.ts";
import { newRun, play, see } from "./scene.ts";
import { scratchFolder } from "./scratch.ts";

const RUN_IDS = ["a", "b", "c"];

async function sightOf(storage: StorageBackend): Promise<string> {
  const runs = await Promise.all(RUN_IDS.map((runId) => see(storage, runId)));
  return JSON.stringify([runs, await storage.readCache(["k"])]);
}

interface Recording {
  readonly steps: readonly Step[];
  /** What is to be seen before the first write, and after each. */
  readonly sights: readonly string[];
}

async function record(options: Partial<FileOptions>): Promise<Recording> {
  const steps: Step[] = [];
  const path = join(scratchFolder(), "store");
  const storage = new FileBackend(settingsOf({ path, ...options }), recordingDisk(steps));
  await storage.setup();
  const sights = [await sightOf(storage)];
  await play(
    () => storage,
    async (write) => {
      steps.push({ do: "begin", write: sights.length });
      await write();
      steps.push({ do: "end", write: sights.length });
      sights.push(await sightOf(storage));
    },
  );
  await storage.close();
  return { steps, sights };
}

/** Opens what a crash has left: it shows all that was answered, nothing by halves, and can be written to. */
async function judge(
  { steps, sights }: Recording,
  count: number,
  { what, files }: Remains,
  folder: string,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [path, bytes] of files) writeFileSync(join(folder, basename(path)), bytes);
  const storage = new FileBackend(settingsOf({ path: folder, synchronous: "off" }), DISK);
  try {
    await storage.setup();
    const done = steps.slice(0, count + 1);
    const answered = steps.slice(0, count).filter((step) => step.do === "end").length;
    const begun = done.filter((step) => step.do === "begin").length;
    expect(sights.slice(answered, begun + 1), what).toContain(await sightOf(storage));
    expect(await storage.createRuns([newRun("new")]), what).toMatchObject([{ status: "created" }]);
  } catch (error) {
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  } finally {
    await storage.close();
  }
}

describe.each([
  ["in one journal", {}],
  // Each write is followed by a new journal and a new snapshot.
  ["with compactions", { compactAbove: 0 }],
])("a store %s", (_, options) => {
  it.each([
    ["a kill", "no half of anything", afterKill],
    ["a loss of power", "whatever is left of other writes", afterPowerLoss],
  ])(
    "shows after %s at any moment what was answered, %s (I3 I4)",
    { timeout: 240_000 },
    async (_what, _left, crash) => {
      const recording = await record(options);
      const folder = join(scratchFolder(), "store");
      let judged = 0;
      for (const count of recording.steps.keys()) {
        for (const remains of crash(recording.steps, count)) {
          await judge(recording, count, remains, folder);
          judged += 1;
        }
      }
      expect(judged).toBeGreaterThan(recording.steps.length);
    },
  );
});
