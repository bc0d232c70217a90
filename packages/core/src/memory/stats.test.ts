import { expect, it } from "vitest";
import {
  activityTask,
  claimOne,
  commit,
  finishRun,
  LEASE,
  newRun,
  openStorage,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

it("stats counts each run and each task once, by queue and kind (I20)", async () => {
  const { storage, clock } = openStorage();
  await finishRun(storage, "done");
  const parked = await startAndClaim(storage, "parked");
  await commit(storage, workflowCommit(parked.claim, { schedule: [activityTask("parked", 2, { queue: "Z" })] }));
  const blocked = await startAndClaim(storage, "blocked");
  await commit(storage, workflowCommit(blocked.claim, { next: { do: "block", reason: "1", until: null } }));
  await startAndClaim(storage, "expired");
  const since = clock.now() + LEASE;
  clock.set(since + 5);
  await storage.createRuns([newRun("later", { readyAt: clock.now() + 1 }), newRun("slow", { queue: "slow" })]);
  await claimOne(storage, { queues: ["slow"] });
  const none = { ready: 0, leased: 0, waiting: 0, blocked: 0, oldestReadyAt: null };
  expect(await storage.stats()).toEqual({
    now: clock.now(),
    runs: { open: 5, completed: 1, failed: 0, cancelled: 0 },
    queues: [
      { ...none, queue: "Z", kind: "activity", ready: 1, oldestReadyAt: 1_000_000 },
      { ...none, queue: "default", kind: "workflow", ready: 1, waiting: 2, blocked: 1, oldestReadyAt: since },
      { ...none, queue: "slow", kind: "workflow", leased: 1 },
    ],
    discardedMessages: 0,
  });
});
