import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StorageBackend } from "@perdure/core/storage";
import { expect, it, onTestFinished } from "vitest";
import { compactFolder, file } from "../src/index.ts";
import { anyTask, lastTurn, newRun, see, turn } from "./scene.ts";
import { scratchFolder } from "./scratch.ts";

async function clients(
  count: number,
  options: { readonly compactAbove?: number } = {},
): Promise<{ readonly path: string; readonly all: readonly StorageBackend[] }> {
  const path = join(scratchFolder(), "store");
  const all = Array.from({ length: count }, () => file({ path, ...options }));
  await Promise.all(all.map((storage) => storage.setup()));
  onTestFinished(async () => void (await Promise.all(all.map((storage) => storage.close()))));
  return { path, all };
}

it("clients that write in turn see all of it, while each write is followed by a compaction (I2 I4)", async () => {
  const { all } = await clients(3, { compactAbove: 0 });
  for (let at = 0; at < 30; at++) {
    const writer = all[at % all.length]!;
    await writer.createRuns([newRun(`run-${at}`)]);
    const { tasks } = await all[(at + 1) % all.length]!.claimTasks(anyTask(1));
    const { claim } = tasks[0]!;
    await all[(at + 2) % all.length]!.commitTasks([turn(claim, 1)]);
    await writer.commitTasks([lastTurn(claim, 2)]);
    for (const storage of all) {
      const { run, events } = await see(storage, `run-${at}`);
      expect([run?.status, events.length]).toEqual(["completed", 3]);
    }
  }
  for (const storage of all) expect((await storage.stats()).runs.completed).toBe(30);
});

it("who was away while files were replaced twice finds all of it", async () => {
  const {
    path,
    all: [one, other],
  } = await clients(2);
  await one!.createRuns([newRun("first")]);
  for (let at = 0; at < 3; at++) {
    await compactFolder(path);
    await one!.createRuns([newRun(`run-${at}`)]);
  }
  expect(readdirSync(path).toSorted()).toEqual(["journal-000004.log", "lock", "snapshot-000004.log"]);
  for (const runId of ["first", "run-0", "run-1", "run-2"]) expect(await other!.getRun(runId)).toMatchObject({ runId });
  expect(await other!.createRuns([newRun("next")])).toMatchObject([{ status: "created" }]);
  expect(await one!.getRun("next")).toMatchObject({ runId: "next" });
});

it("a client that is idle hears of what another one writes, and of nothing after it has closed", async () => {
  const {
    all: [one, other],
  } = await clients(2);
  const heard: unknown[] = [];
  const subscription = await other!.subscribe!((topic) => heard.push(topic));
  subscription.add({ of: "queue", queue: "default" });
  await one!.createRuns([newRun("first")]);
  for (let waited = 0; heard.length === 0 && waited < 2_000; waited += 10) await sleep(10);
  expect(heard).toEqual([{ of: "queue", queue: "default" }]);
  await subscription.close();
  await one!.createRuns([newRun("second")]);
  await other!.getRun("second");
  await sleep(10);
  expect(heard).toHaveLength(1);
});
