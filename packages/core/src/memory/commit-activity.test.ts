import { describe, expect, it } from "vitest";
import type { Claim, ClaimedActivityTask, StorageBackend } from "../storage.ts";
import {
  activityCommit,
  activityTask,
  claimOne,
  claimRequest,
  commit,
  event,
  LEASE,
  message,
  openStorage,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

const DAY = 24 * 3_600_000;

async function scheduleAndClaim(storage: StorageBackend): Promise<{ run: Claim; activity: ClaimedActivityTask }> {
  const { claim } = await startAndClaim(storage, "r");
  const schedule = [activityTask("r", 2, { input: "in", details: "policy" })];
  await commit(storage, workflowCommit(claim, { schedule, events: [event()], next: { do: "hold" } }));
  const activity = await claimOne(storage, { kinds: ["activity"] });
  if (activity.kind !== "activity") throw new Error("Expected an activity task.");
  return { run: claim, activity };
}

describe("an activity commit", () => {
  it("completes: the task is gone and its outcome in the inbox, and a retry is known (I7)", async () => {
    const { storage, clock } = openStorage();
    const { run, activity } = await scheduleAndClaim(storage);
    expect(activity).toMatchObject({
      workflow: "order",
      task: { activity: "charge", input: "in", details: "policy", attempt: 1 },
      scheduledAt: clock.now(),
      deliveries: 1,
    });
    const complete = activityCommit(activity.claim, {
      do: "complete",
      message: message("r", "outcome", { external: false }),
    });
    const ok = { status: "ok", held: false, now: clock.now(), leaseUntil: null, inboxLast: 0, messages: [] };
    expect(await commit(storage, complete)).toEqual(ok);
    expect(await commit(storage, complete)).toEqual({ ...ok, status: "duplicate" });
    expect(await commit(storage, { ...complete, commitId: "another" })).toEqual({ status: "lease-lost" });
    expect(await storage.renewLeases([run], LEASE)).toMatchObject([
      { inboxLast: 1, messages: [{ dedupeId: "outcome" }] },
    ]);
    await commit(storage, workflowCommit(run, { expectedSeq: 2, ackInbox: 1 }));
    expect(await commit(storage, complete)).toMatchObject({ status: "duplicate" });
    expect((await storage.getRun("r"))?.task).toMatchObject({ unread: 0 });
  });

  it("is forgotten a day after its completion, at the next one", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await commit(storage, workflowCommit(claim, { schedule: [activityTask("r", 2), activityTask("r", 3)] }));
    const { tasks } = await storage.claimTasks(claimRequest());
    const [first, second] = tasks.map((task) =>
      activityCommit(task.claim, { do: "complete", message: message("r", task.claim.taskId) }),
    );
    await commit(storage, first!);
    clock.advance(DAY);
    await commit(storage, second!);
    expect(await storage.commitTasks([first!, second!])).toMatchObject([
      { status: "lease-lost" },
      { status: "duplicate" },
    ]);
  });

  it("retries as the next attempt at its time; a late copy counts nothing twice (I16)", async () => {
    const { storage, clock } = openStorage();
    const { activity } = await scheduleAndClaim(storage);
    const retry = activityCommit(activity.claim, { do: "retry", at: clock.now() + 50, attempt: 2, details: "new" });
    expect(await commit(storage, retry)).toMatchObject({ status: "ok", held: false });
    expect(await storage.claimTasks(claimRequest())).toMatchObject({ tasks: [], nextReadyAt: clock.now() + 50 });
    clock.advance(50);
    const again = await claimOne(storage, { kinds: ["activity"] });
    expect(await commit(storage, retry)).toMatchObject({ status: "duplicate", held: false });
    expect(again).toMatchObject({
      claim: { epoch: 2 },
      deliveries: 1,
      task: { attempt: 2, details: "new", input: "in" },
    });
    expect(await commit(storage, { ...retry, commitId: "late" })).toEqual({ status: "lease-lost" });
  });

  it("is refused under an old epoch and after its own release (I6)", async () => {
    const { storage, clock } = openStorage();
    const { activity } = await scheduleAndClaim(storage);
    clock.advance(LEASE);
    const owner = await claimOne(storage, { kinds: ["activity"] });
    expect(owner.deliveries).toBe(2);
    const complete = { do: "complete", message: message("r", "outcome") } as const;
    expect(await commit(storage, activityCommit(activity.claim, complete))).toEqual({ status: "lease-lost" });
    expect(await commit(storage, activityCommit(owner.claim, { do: "release" }))).toMatchObject({ status: "ok" });
    expect(await commit(storage, activityCommit(owner.claim, complete))).toEqual({ status: "lease-lost" });
    expect(await claimOne(storage, { kinds: ["activity"] })).toMatchObject({ deliveries: 1, claim: { epoch: 3 } });
  });

  it("completes for a closed run too: the task goes, the message does not come", async () => {
    const { storage } = openStorage();
    const { run, activity } = await scheduleAndClaim(storage);
    const close = { status: "completed" } as const;
    await commit(storage, workflowCommit(run, { expectedSeq: 2, events: [event()], close, next: { do: "hold" } }));
    const complete = activityCommit(activity.claim, { do: "complete", message: message("r", "late") });
    expect(await commit(storage, complete)).toMatchObject({ status: "ok" });
    expect((await storage.stats()).queues).toMatchObject([{ kind: "workflow", leased: 1 }]);
    await commit(storage, workflowCommit(run, { expectedSeq: 3, next: { do: "done" } }));
    expect(await commit(storage, complete)).toEqual({ status: "lease-lost" });
  });

  it("fans in: a hundred outcomes of one run in one batch, in order", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    const schedule = Array.from({ length: 100 }, (_, i) => activityTask("r", i + 2));
    await commit(storage, workflowCommit(claim, { schedule }));
    const { tasks } = await storage.claimTasks(claimRequest());
    const commits = tasks.map((task, i) =>
      activityCommit(task.claim, { do: "complete", message: message("r", `${i}`) }),
    );
    expect((await storage.commitTasks(commits)).every(({ status }) => status === "ok")).toBe(true);
    const woken = await claimOne(storage);
    expect(woken.kind === "workflow" && woken.messages.map(({ no, dedupeId }) => [no, dedupeId])).toEqual(
      schedule.map((_, i) => [i + 1, `${i}`]),
    );
  });
});
