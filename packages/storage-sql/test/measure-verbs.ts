import { randomUUID } from "node:crypto";
import type { StorageBackend } from "@perdure/core/storage";
import { anything, done, hold, newRun } from "./requests.ts";

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** Creates, claims, commits four times and ends batches of runs; prints what each of that costs, and closes the storage. */
export async function measureVerbs(name: string, storage: StorageBackend, size: number): Promise<void> {
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
  const workflowsOnly = anything({ limit: size, kinds: ["workflow"] });
  for (let round = 0; round < 40; round++) {
    const runs = Array.from({ length: size }, () => newRun(randomUUID()));
    await timed("createRuns", () => storage.createRuns(runs));
    const { tasks } = await timed("claimTasks", () => storage.claimTasks(workflowsOnly));
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
