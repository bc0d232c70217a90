import { join } from "node:path";
import { type StorageBackend, StorageError } from "@perdure/core/storage";
import { describe, expect, it } from "vitest";
import { FileBackend } from "../src/backend.ts";
import { DISK, type Disk } from "../src/disk.ts";
import { settingsOf } from "../src/options.ts";
import { failingDisk } from "./failing-disk.ts";
import { play, see } from "./scene.ts";
import { scratchFolder } from "./scratch.ts";

const RUN_IDS = ["a", "b", "c"];

function open(path: string, disk: Disk, compactAbove: number): StorageBackend {
  return new FileBackend(settingsOf({ path, compactAbove, synchronous: "full", clock: { now: () => 1_000 } }), disk);
}

async function sightOf(storage: StorageBackend): Promise<string> {
  const sight = JSON.stringify(await Promise.all(RUN_IDS.map((runId) => see(storage, runId))));
  // A claim that was applied and not answered is made again.
  return sight.replaceAll(/"epoch":\d+/gu, "");
}

/** What is seen at the end when nothing fails. */
async function undisturbed(): Promise<string> {
  const storage = open(join(scratchFolder(), "store"), DISK, 0);
  await storage.setup();
  await play(
    () => storage,
    async (write) => void (await write()),
  );
  const sight = await sightOf(storage);
  await storage.close();
  return sight;
}

describe.each([
  ["EIO", 1_000_000],
  ["EIO", 0],
  ["ENOSPC", 1_000_000],
  ["ENOSPC", 0],
  ["EMFILE", 0],
])("when the n-th operation on files fails with %s (compacting above %i bytes)", (code, compactAbove) => {
  it(
    "the caller is told by a typed error, nothing is there by halves, and the same call works later (I3 I29)",
    {
      timeout: 120_000,
    },
    async () => {
      const expected = await undisturbed();
      let failures = 0;
      for (let number = 1; ; number++) {
        const { disk, failAt, failed } = failingDisk();
        const path = join(scratchFolder(), "store");
        let storage = open(path, disk, compactAbove);
        failAt(number, code);
        await repeated(() => storage.setup());
        await play(
          () => storage,
          async (write) => {
            await repeated(write, async (error) => {
              if (error.code !== "corrupt") return expect(error).toMatchObject({ code: "unavailable" });
              // Only a sync that failed makes the handle useless.
              expect(failed()).toMatch(/^sync/u);
              await expect(storage.now()).rejects.toMatchObject({ code: "corrupt" });
              const poisoned = storage;
              storage = open(path, disk, compactAbove);
              await storage.setup();
              await poisoned.close();
              return undefined;
            });
          },
        );
        const what = failed();
        failAt(Infinity, code);
        expect(await sightOf(storage), `${code} at ${number}, ${what}`).toBe(expected);
        await storage.close();
        if (what === undefined) break;
        failures += 1;
      }
      expect(failures).toBeGreaterThan(5);
    },
  );
});

/** Calls until it is not refused. */
async function repeated(
  call: () => Promise<unknown>,
  onError: (error: StorageError) => unknown = () => undefined,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return void (await call());
    } catch (error) {
      if (!(error instanceof StorageError) || tries > 3) throw error;
      await onError(error);
    }
  }
}
