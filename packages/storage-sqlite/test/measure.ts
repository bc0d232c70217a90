import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Query, runSync, type Steps } from "@perdure/storage-sql";
import { sqlite } from "@perdure/storage-sqlite";
import { anything, done, hold, newRun } from "./requests.ts";

// Prints what the verbs cost: `npm run measure -w @perdure/storage-sqlite`. A measurement, not a test.

const directory = mkdtempSync(join(tmpdir(), "perdure-measure-"));

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** What it costs that programs are generators: a step without a database. */
function measureStep(): void {
  const nothing: Query = { id: 0, build: (db) => db.selectFrom("perdure_meta").select("key"), isTransient: true };
  const step = function* (key: string): Steps<unknown> {
    return yield { query: nothing, args: { key, value: "v" }, want: "row" };
  };
  const program = function* (count: number): Steps<number> {
    for (let i = 0; i < count; i++) yield* step("k");
    return count;
  };
  const costs = Array.from({ length: 9 }, () => {
    const startedAt = performance.now();
    runSync(program(200_000), () => undefined);
    return (performance.now() - startedAt) / 0.2;
  });
  console.log(`one step of a program: ${median(costs).toFixed(0)} ns`);
}

/** Creates, claims, commits four times and ends batches of runs. */
async function measureVerbs(name: string, path: string, synchronous: "full" | "normal", size: number): Promise<void> {
  const storage = sqlite({ path, synchronous });
  await storage.setup();
  const costs: Record<string, number[]> = {
    createRuns: [],
    claimTasks: [],
    "commit and hold": [],
    "commit and end": [],
  };
  const timed = async <T>(verb: string, call: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const answer = await call();
    costs[verb]!.push(performance.now() - startedAt);
    return answer;
  };
  for (let round = 0; round < 40; round++) {
    const runs = Array.from({ length: size }, () => newRun(randomUUID()));
    await timed("createRuns", () => storage.createRuns(runs));
    const { tasks } = await timed("claimTasks", () => storage.claimTasks(anything({ limit: size })));
    for (const seq of [1, 2, 3, 4]) {
      const commits = tasks.map(({ claim }) => hold(claim, seq, { commitId: randomUUID() }));
      await timed("commit and hold", () => storage.commitTasks(commits));
    }
    const ends = tasks.map(({ claim }) => done(claim, 5));
    await timed("commit and end", () => storage.commitTasks(ends));
  }
  await storage.close();
  const line = Object.entries(costs).map(([verb, values]) => {
    const ms = median(values.slice(values.length >> 2));
    return `${verb} ${ms.toFixed(2)} ms (${((ms * 1000) / size).toFixed(1)} µs each)`;
  });
  console.log(`${name}, batches of ${size}: ${line.join(", ")}`);
}

measureStep();
for (const size of [1, 100]) {
  await measureVerbs("in memory", ":memory:", "full", size);
  await measureVerbs("file, synchronous=normal", join(directory, `normal-${size}.db`), "normal", size);
  await measureVerbs("file, synchronous=full", join(directory, `full-${size}.db`), "full", size);
}
rmSync(directory, { recursive: true });
