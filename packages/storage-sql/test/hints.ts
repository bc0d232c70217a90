import { setTimeout as sleep } from "node:timers/promises";
import type { StorageBackend, Subscription, Topic } from "@perdure/core/storage";
import { describe, expect, test } from "vitest";
import { closedAfterTest } from "./closed-after-test.ts";
import { anything, done, newRun } from "./requests.ts";

export const main: Topic = { of: "queue", queue: "main" };

export interface Ear {
  readonly heard: Topic[];
  readonly subscription: Subscription;
}

/** Listens for runs on queue `main`. */
export async function listen(storage: StorageBackend): Promise<Ear> {
  const heard: Topic[] = [];
  const subscription = await storage.subscribe!((topic) => heard.push(topic));
  subscription.add(main);
  return { heard, subscription };
}

/** @param newStore makes a store; answers how each process opens it */
export function describeHints(newStore: () => Promise<() => StorageBackend>): void {
  describe("hints between processes", () => {
    test("wake who waits for that topic, and nobody else", async () => {
      const open = await newStore();
      const [one, other] = [closedAfterTest(open()), closedAfterTest(open())];
      const { heard, subscription } = await listen(one);
      subscription.add({ of: "closed", runId: "else" });
      await other.createRuns([newRun("aside", { queue: "aside" })]);
      await other.createRuns([newRun("run")]);
      await expect.poll(() => heard, { interval: 5 }).toEqual([main]);
      // Claiming, holding and renewing wake nobody: so workers do not keep one another awake.
      const { tasks } = await other.claimTasks(anything());
      const claims = tasks.map(({ claim }) => claim);
      await other.renewLeases(claims, 1000);
      await other.commitTasks(claims.map((claim) => done(claim, 1)));
      await sleep(50);
      expect(heard).toHaveLength(1);
    });

    test("are heard once by the process that sends them", async () => {
      const open = await newStore();
      const storage = closedAfterTest(open());
      const { heard } = await listen(storage);
      await storage.createRuns([newRun("run")]);
      await sleep(50);
      expect(heard).toEqual([main]);
    });

    test("of very many topics arrive, too", async () => {
      const open = await newStore();
      const [one, other] = [closedAfterTest(open()), closedAfterTest(open())];
      const { heard } = await listen(one);
      await other.createRuns(Array.from({ length: 2000 }, (_, n) => newRun(`r${n}`, { queue: `q${n}` })));
      await expect.poll(() => heard, { interval: 5 }).toEqual([main]);
    });

    test("are not lost by a process that closes at once after it has written", async () => {
      const open = await newStore();
      const { heard } = await listen(closedAfterTest(open()));
      for (let n = 0; n < 5; n++) {
        const brief = open();
        await brief.createRuns([newRun(`run-${n}`)]);
        await brief.close();
        await expect.poll(() => heard.splice(0), { interval: 5 }).toEqual([main]);
      }
    });
  });
}
