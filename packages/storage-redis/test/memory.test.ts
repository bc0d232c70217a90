import type { NewRun } from "@perdure/core/storage";
import { redis } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { startRedis } from "perdure-servers";
import { expect, onTestFinished, test } from "vitest";

const RUNS = 2_000;

function newRun(n: number): NewRun {
  return {
    runId: `order-${n}`,
    incarnation: `incarnation${String(n).padStart(11, "0")}`,
    workflow: "order",
    version: null,
    queue: "default",
    priority: 0,
    startHash: "5".repeat(43),
    parent: null,
    parentClose: null,
    input: `{"id":${n}}`,
    state: null,
    attributes: {},
    readyAt: null,
    deadlineAt: null,
    started: event(0),
  };
}

function event(command: number): NewRun["started"] {
  return { type: "ACTIVITY_COMPLETED", command, at: Date.now(), data: `{"name":"step","result":{"n":${command}}}` };
}

test("a small run takes less than three kilobytes, parked or finished", { timeout: 60_000 }, async () => {
  const server = await startRedis({ settings: { appendfsync: "no" } });
  const admin = new Redis(server.url);
  const storage = redis(server.url);
  onTestFinished(async () => {
    await storage.close();
    admin.disconnect();
    await server.stop();
  });
  const used = async (): Promise<number> => Number(/used_memory_dataset:(\d+)/u.exec(await admin.info("memory"))![1]);
  const claim = async () => {
    const { tasks } = await storage.claimTasks({
      workerId: "worker",
      workerInstance: "worker of the test",
      holding: [],
      queues: ["default"],
      kinds: ["workflow"],
      handlers: { workflows: ["order"], activities: [] },
      limit: 1_000,
      leaseMs: 60_000,
      inlineEvents: 0,
      overdue: false,
    });
    return tasks.map((task) => task.claim);
  };
  await storage.setup();
  const empty = await used();

  await storage.createRuns(Array.from({ length: RUNS }, (_, n) => newRun(n)));
  const claims = [...(await claim()), ...(await claim())];
  await storage.commitTasks(
    claims.map((claim) => ({
      kind: "workflow",
      claim,
      commitId: `park ${claim.runId}`,
      expectedSeq: 1,
      events: [1, 2, 3].map(event),
      ackInbox: 0,
      next: { do: "park", wakeAt: 1 },
    })),
  );
  const parked = (await used()) - empty;

  const again = [...(await claim()), ...(await claim())];
  await storage.commitTasks(
    again.map((claim) => ({
      kind: "workflow",
      claim,
      commitId: `end ${claim.runId}`,
      expectedSeq: 4,
      events: [4, 5].map(event),
      ackInbox: 0,
      close: { status: "completed", output: '"done"' },
      next: { do: "done" },
    })),
  );
  const finished = (await used()) - empty;

  expect(parked / RUNS).toBeLessThan(3_000);
  expect(finished / RUNS).toBeLessThan(3_000);
});
