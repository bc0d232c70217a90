import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import type { Topic } from "@perdure/core/storage";
import { sqlite } from "@perdure/storage-sqlite";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { scratchDirectory } from "./scratch.ts";
import { newRun } from "../../storage-sql/test/requests.ts";

const directory = scratchDirectory();
const { watch } = fs;

/** A file system that cannot be watched: there is nothing but what a process sees by itself, in time that the test moves on. */
beforeEach(() => {
  fs.watch = (() => {
    throw new Error("It cannot be watched.");
  }) as unknown as typeof watch;
  syncBuiltinESMExports();
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  fs.watch = watch;
  syncBuiltinESMExports();
});

function countStatements(): () => number {
  const database = new Database(":memory:");
  const statements = Object.getPrototypeOf(database.prepare("select 1")) as Database.Statement;
  database.close();
  const spies = (["all", "get", "run"] as const).map((name) => vi.spyOn(statements, name));
  return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
}

test("a process that waits asks the database nothing while nobody writes, and soon hears who does (I11, I28)", async () => {
  const path = join(directory, "idle.db");
  const storage = sqlite(path);
  const other = sqlite(path);
  await other.setup();
  const heard: Topic[] = [];
  const subscription = await storage.subscribe!((topic) => heard.push(topic));
  subscription.add({ of: "queue", queue: "main" });
  const moveOn = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));
  /** The log was last written long ago, by a clock that is true while the test's is not. */
  const age = async (): Promise<void> => {
    fs.utimesSync(`${path}-wal`, 1, 1);
    await moveOn(5_000);
  };
  await age();
  const statements = countStatements();
  await moveOn(60_000);
  expect(statements()).toBe(0);

  for (const runId of ["a", "b"]) {
    await other.createRuns([newRun(runId)]);
    await moveOn(500);
    expect(heard.splice(0)).toEqual([{ of: "queue", queue: "main" }]);
    await age();
  }
  await subscription.close();
  await Promise.all([storage.close(), other.close()]);
});
