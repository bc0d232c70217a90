import { describe, expect, it } from "vitest";
import {
  activityTask,
  claimOne,
  claimRequest,
  commit,
  LEASE,
  message,
  openStorage,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

describe("renewLeases", () => {
  it("extends a lease and shows the holder its inbox", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    clock.advance(LEASE - 1);
    await storage.deliver([message("r", "m")]);
    const held = {
      status: "held",
      now: clock.now(),
      leaseUntil: clock.now() + 500,
      inboxLast: 1,
      messages: [{ no: 1, at: clock.now(), dedupeId: "m", data: '"m"' }],
    };
    expect(await storage.renewLeases([claim, claim], 500)).toEqual([held, held]);
    clock.advance(499);
    const other = claimRequest({ workerInstance: "other" });
    expect(await storage.claimTasks(other)).toMatchObject({ tasks: [], nextReadyAt: clock.now() + 1 });
    clock.advance(1);
    expect((await storage.claimTasks(other)).tasks).toMatchObject([{ claim: { epoch: 2 } }]);
  });

  it("renews an expired lease that nobody took over, and no other (I6)", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    clock.advance(LEASE * 3);
    expect(await storage.renewLeases([claim], LEASE)).toMatchObject([{ status: "held" }]);
    clock.advance(LEASE);
    const next = await claimOne(storage);
    const strangers = [
      claim,
      { ...next.claim, epoch: 3 },
      { ...next.claim, incarnation: "incarnation-0002" },
      { ...next.claim, runId: "other" },
    ];
    expect(await storage.renewLeases([...strangers, next.claim], LEASE)).toMatchObject([
      { status: "lost" },
      { status: "lost" },
      { status: "lost" },
      { status: "lost" },
      { status: "held", leaseUntil: clock.now() + LEASE },
    ]);
  });

  it("is lost after the holder's own park (I6)", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await commit(storage, workflowCommit(claim));
    expect(await storage.renewLeases([claim], LEASE)).toEqual([{ status: "lost" }]);
    expect((await storage.getRun("r"))?.task).toMatchObject({ readyAt: null, leaseUntil: null, workerId: null });
  });

  it("is lost for an activity task that was cancelled under its holder", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    const task = activityTask("r", 2);
    await commit(storage, workflowCommit(claim, { schedule: [task] }));
    const activity = await claimOne(storage);
    expect(await storage.renewLeases([activity.claim], LEASE)).toEqual([
      { status: "held", now: clock.now(), leaseUntil: clock.now() + LEASE, inboxLast: 0, messages: [] },
    ]);
    await storage.deliver([message("r", "wake")]);
    const again = await claimOne(storage);
    await commit(storage, workflowCommit(again.claim, { cancel: [task.taskId] }));
    expect(await storage.renewLeases([activity.claim], LEASE)).toEqual([{ status: "lost" }]);
  });
});
