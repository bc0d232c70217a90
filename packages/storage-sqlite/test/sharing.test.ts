import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Topic } from "@perdure/core/storage";
import { sqlite } from "@perdure/storage-sqlite";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { child } from "../../storage-sql/test/child.ts";
import { scratchDirectory } from "./scratch.ts";
import { anything, done, newRun } from "../../storage-sql/test/requests.ts";

const directory = scratchDirectory();
const finishRuns = new URL("children/finish-runs.ts", import.meta.url);

describe("several processes on one file", () => {
  test("share the work: each run is ended once, nobody sees a lock", { timeout: 60_000 }, async () => {
    const path = join(directory, "shared.db");
    const storage = sqlite(path);
    const ids = Array.from({ length: 600 }, (_, index) => `run-${index}`);
    await storage.createRuns(ids.map((runId) => newRun(runId)));
    const lists = (await Promise.all([1, 2, 3].map(() => child(finishRuns, [path])))) as string[][];
    expect(lists.flat().toSorted()).toEqual(ids.toSorted());
    expect((await storage.stats()).runs).toEqual({ open: 0, completed: 600, failed: 0, cancelled: 0 });
    await storage.close();
  });

  test(
    "hear of each other: a run is started, executed elsewhere, and its end heard of, without any polling",
    { timeout: 60_000 },
    async () => {
      const path = join(directory, "echo.db");
      const storage = sqlite(path);
      await storage.setup();
      const echo = fork(new URL("children/echo.ts", import.meta.url), [path], {
        execArgv: ["--conditions=@perdure/source"],
      });
      await once(echo, "message");
      const durations: number[] = [];
      for (let i = 0; i < 20; i++) {
        const runId = `run-${i}`;
        const startedAt = performance.now();
        await ended(storage, runId, () => storage.createRuns([newRun(runId)]));
        durations.push(performance.now() - startedAt);
        expect(await storage.getRun(runId)).toMatchObject({ status: "completed" });
      }
      // The floor alone would take half a second, each way.
      expect(durations.toSorted((a, b) => a - b)[10]).toBeLessThan(100);
      echo.disconnect();
      await storage.close();
    },
  );
});

/** Causes the end of a run and waits for the hint of it. */
async function ended(storage: ReturnType<typeof sqlite>, runId: string, cause: () => Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    void storage.subscribe!((topic) => topic.of === "closed" && topic.runId === runId && resolve()).then(
      (subscription) => {
        subscription.add({ of: "closed", runId });
        return cause();
      },
      reject,
    );
  });
}

describe("two storages of one process on one file", () => {
  test("wake each other, and only who waits for that topic", async () => {
    const path = join(directory, "hints.db");
    const [one, other] = [sqlite(path), sqlite(path)];
    const heard: Topic[] = [];
    const subscription = await one.subscribe!((topic) => heard.push(topic));
    subscription.add({ of: "queue", queue: "main" });
    subscription.add({ of: "closed", runId: "else" });
    await other.createRuns([newRun("aside", { queue: "aside" })]);
    await other.createRuns([newRun("run")]);
    await expect.poll(() => heard, { interval: 5 }).toEqual([{ of: "queue", queue: "main" }]);
    // Claiming, holding and renewing wake nobody: so workers do not keep one another awake.
    const { tasks } = await other.claimTasks(anything());
    await other.renewLeases(
      tasks.map(({ claim }) => claim),
      1000,
    );
    await other.commitTasks(tasks.map(({ claim }) => done(claim, 1)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toHaveLength(1);
    await subscription.close();
    await Promise.all([one.close(), other.close()]);
  });

  test("namespaces share the file and nothing else (I21)", async () => {
    const path = join(directory, "namespaces.db");
    const [one, other] = [sqlite(path), sqlite({ path, namespace: "other" })];
    await one.createRuns([newRun("run")]);
    expect(await other.getRun("run")).toBeUndefined();
    expect((await other.claimTasks(anything())).tasks).toEqual([]);
    expect(await other.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    expect((await one.claimTasks(anything())).tasks).toHaveLength(1);
    await Promise.all([one.close(), other.close()]);
  });
});

describe("a file that somebody else keeps locked", () => {
  test("is waited for, and then is unavailable: to be tried again", async () => {
    const path = join(directory, "busy.db");
    const storage = sqlite({ path, busyTimeout: 100 });
    await storage.setup();
    const rude = new Database(path);
    rude.exec("begin immediate");
    const startedAt = performance.now();
    const refused = await storage.createRuns([newRun("run")]).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "unavailable", retryable: true, cause: { code: "SQLITE_BUSY" } });
    expect(performance.now() - startedAt).toBeGreaterThan(90);
    // Readers do not wait, and neither does a worker for which there is nothing.
    expect(await storage.getRun("run")).toBeUndefined();
    expect((await storage.claimTasks(anything())).tasks).toEqual([]);
    const patient = sqlite({ path, busyTimeout: 2000 });
    await patient.getRun("run");
    setTimeout(() => rude.exec("rollback"), 30);
    expect(await patient.createRuns([newRun("run")])).toMatchObject([{ status: "created" }]);
    rude.close();
    await Promise.all([storage.close(), patient.close()]);
  });
});
