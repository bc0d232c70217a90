import { setTimeout as sleep } from "node:timers/promises";
import type { StorageBackend, Subscription, Topic } from "@perdure/core/storage";
import { mysql } from "@perdure/storage-mysql";
import { expect, onTestFinished, test, vi } from "vitest";
import { anything, done, newRun } from "../../storage-sql/test/requests.ts";
import { killConnections, nameOf, newDatabase, query } from "./scratch.ts";

/** A storage that is closed after the test. */
function open(url: string): StorageBackend {
  const storage = mysql(url);
  onTestFinished(() => storage.close());
  return storage;
}

interface Ear {
  readonly heard: Topic[];
  readonly subscription: Subscription;
}

/** Listens for runs on queue `main`. */
async function listen(storage: StorageBackend): Promise<Ear> {
  const heard: Topic[] = [];
  const subscription = await storage.subscribe!((topic) => heard.push(topic));
  subscription.add({ of: "queue", queue: "main" });
  return { heard, subscription };
}

const main: Topic = { of: "queue", queue: "main" };

test("hints wake who waits for that topic, and nobody else", async () => {
  const url = await newDatabase();
  const [one, other] = [open(url), open(url)];
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

test("hints are heard once by the process that sends them", async () => {
  const storage = open(await newDatabase());
  const { heard } = await listen(storage);
  await storage.createRuns([newRun("run")]);
  await sleep(50);
  expect(heard).toEqual([main]);
});

test("hints are not lost by a process that closes at once after it has written", async () => {
  const url = await newDatabase();
  const { heard } = await listen(open(url));
  for (let n = 0; n < 5; n++) {
    const brief = mysql(url);
    await brief.createRuns([newRun(`run-${n}`)]);
    await brief.close();
    await expect.poll(() => heard.splice(0), { interval: 5 }).toEqual([main]);
  }
});

test("hints come also after an outage", async () => {
  const url = await newDatabase();
  const [one, other] = [open(url), open(url)];
  await other.setup();
  const { heard } = await listen(one);
  for (let n = 0; n < 3; n++) {
    await killConnections(url);
    await sleep(20);
    await other.createRuns([newRun(`run-${n}`)]);
    await expect.poll(() => heard.splice(0), { interval: 5 }).toEqual([main]);
  }
});

test("old hints are forgotten", async () => {
  const url = await newDatabase();
  const storage = open(url);
  await storage.setup();
  await query(
    `insert into ${nameOf(url)}.perdure_pulse (no, at, topics) values ${Array.from({ length: 3_000 }, (_, at) => `(${at + 1}, 0, '')`).join()}`,
  );
  const count = async (): Promise<number> =>
    (await query<{ count: number }>(`select count(*) as count from ${nameOf(url)}.perdure_pulse`))[0]!.count;
  // One of many writes does it, by chance.
  const random = vi.spyOn(Math, "random").mockReturnValue(0);
  onTestFinished(() => random.mockRestore());
  await storage.createRuns([newRun("run")]);
  await expect.poll(count, { interval: 5 }).toBeLessThan(1_100);
});
