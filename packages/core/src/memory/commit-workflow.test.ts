import { describe, expect, it } from "vitest";
import {
  activityTask,
  claimOne,
  claimRequest,
  commit,
  event,
  INCARNATION,
  LEASE,
  message,
  newRun,
  openStorage,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

const hold = { do: "hold" } as const;
const done = { do: "done" } as const;
const completed = { status: "completed", output: "42" } as const;

describe("a workflow commit", () => {
  it("writes events, run and lease as one, and tells the holder its inbox (I3)", async () => {
    const { storage, clock } = openStorage();
    const { claim, leaseUntil } = await startAndClaim(storage, "r");
    await storage.deliver([message("r", "a"), message("r", "b")]);
    clock.advance(5);
    const result = await commit(
      storage,
      workflowCommit(claim, {
        commitId: "c",
        events: [event("A"), event("B")],
        ackInbox: 1,
        run: { state: "s", attributes: { n: 1 }, baseSeq: 2 },
        next: hold,
      }),
    );
    expect(result).toMatchObject({ status: "ok", held: true, now: clock.now(), leaseUntil, inboxLast: 2 });
    expect(result).toMatchObject({ messages: [{ no: 2, dedupeId: "b" }] });
    expect(await storage.getRun("r")).toMatchObject({
      state: "s",
      attributes: { n: 1 },
      baseSeq: 2,
      lastSeq: 3,
      lastCommitId: "c",
      task: { deliveries: 0, unread: 1, leaseUntil },
    });
    const [page] = await storage.readEvents([{ runId: "r", after: 1, limit: 1 }]);
    expect(page).toEqual({ events: [{ seq: 2, ...event("A") }], lastSeq: 3 });
  });

  it("is known again by its id: held, given up, or after done (I7)", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    const first = workflowCommit(claim, { events: [event()], next: hold });
    expect(await commit(storage, first)).toMatchObject({ status: "ok", held: true });
    expect(await commit(storage, first)).toMatchObject({ status: "duplicate", held: true });
    const park = workflowCommit(claim, { expectedSeq: 2, next: { do: "park", wakeAt: 0 } });
    expect(await commit(storage, park)).toMatchObject({ status: "ok", held: false });
    const again = await claimOne(storage);
    expect(await commit(storage, park)).toMatchObject({ status: "duplicate", held: false, leaseUntil: null });
    expect(await commit(storage, first)).toEqual({ status: "lease-lost" });
    const end = workflowCommit(again.claim, { expectedSeq: 2, close: completed, next: done });
    expect(await storage.commitTasks([end, end])).toMatchObject([
      { status: "ok" },
      { status: "duplicate", held: false },
    ]);
    expect(await storage.getRun("r")).toMatchObject({ status: "completed", output: "42", lastSeq: 2, task: null });
  });

  it("is refused once a newer epoch exists, or the claim has ended; the refusal writes nothing (I6)", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    clock.advance(LEASE);
    const owner = await claimOne(storage);
    const before = await storage.getRun("r");
    const stale = {
      events: [event()],
      run: { state: "x" },
      schedule: [activityTask("r", 2)],
      close: completed,
      next: done,
    };
    expect(await commit(storage, workflowCommit(claim, stale))).toEqual({ status: "lease-lost" });
    expect(await storage.getRun("r")).toEqual(before);
    await commit(storage, workflowCommit(owner.claim));
    expect(await commit(storage, workflowCommit(owner.claim))).toEqual({ status: "lease-lost" });
    expect(await commit(storage, workflowCommit({ ...owner.claim, incarnation: "incarnation-0002" }))).toEqual({
      status: "lease-lost",
    });
  });

  it("is good under an expired lease that nobody took over", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    clock.advance(LEASE * 2);
    expect(await commit(storage, workflowCommit(claim))).toMatchObject({ status: "ok" });
  });

  it("is checked in order: duplicate, lease, shape, head, unread", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await storage.deliver([message("r", "m")]);
    const wrong = { expectedSeq: 7, next: hold } as const;
    expect(await commit(storage, workflowCommit({ ...claim, epoch: 9 }, wrong))).toEqual({ status: "lease-lost" });
    expect(await commit(storage, workflowCommit(claim, wrong))).toEqual({
      status: "invalid",
      code: "hold-without-events",
    });
    expect(await commit(storage, workflowCommit(claim, { ...wrong, events: [event()], close: completed }))).toEqual({
      status: "conflict",
      lastSeq: 1,
    });
    const unread = await commit(storage, workflowCommit(claim, { close: completed, next: done }));
    expect(unread).toMatchObject({ status: "unread", messages: [{ no: 1, dedupeId: "m" }] });
    expect(await storage.getRun("r")).toMatchObject({ status: "open", lastSeq: 1, lastCommitId: null });
  });

  it("closes over unread messages only when told to, and counts them", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await storage.deliver([message("r", "a"), message("r", "b"), message("r", "c")]);
    const close = { ...completed, discardUnread: true };
    const result = await commit(storage, workflowCommit(claim, { ackInbox: 1, events: [event()], close, next: hold }));
    expect(result).toMatchObject({ status: "ok", held: true, inboxLast: 3, messages: [] });
    expect((await storage.stats()).discardedMessages).toBe(2);
    expect((await storage.getRun("r"))?.task).toMatchObject({ unread: 0 });
  });

  it.each([
    ["done-without-close", { next: done }],
    ["ack-out-of-range", { ackInbox: 2 }],
    ["ack-out-of-range", { ackInbox: 0 }],
    ["too-many-events", { events: Array.from({ length: 20_001 }, () => event()) }],
    ["too-large", { events: Array.from({ length: 5 }, () => event("BIG", "x".repeat(16 * 1024 * 1024))) }],
  ] as const)("is invalid as %s", async (code, fields) => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await storage.deliver([message("r", "m")]);
    await commit(storage, workflowCommit(claim, { ackInbox: 1, events: [event()], next: hold }));
    const before = await storage.getRun("r");
    const bad = workflowCommit(claim, { expectedSeq: 2, ackInbox: 1, ...fields });
    expect(await commit(storage, bad)).toEqual({ status: "invalid", code });
    expect(await storage.getRun("r")).toEqual(before);
  });

  it("is invalid as the second of its task in a batch, without harm to its neighbours", async () => {
    const { storage } = openStorage();
    const one = await startAndClaim(storage, "one");
    const two = await startAndClaim(storage, "two");
    const results = await storage.commitTasks([
      workflowCommit(one.claim, { events: [event()], next: hold }),
      workflowCommit(one.claim, { expectedSeq: 2, events: [event()], next: hold }),
      workflowCommit(two.claim),
    ]);
    expect(results).toMatchObject([
      { status: "ok" },
      { status: "invalid", code: "second-commit-in-batch" },
      { status: "ok" },
    ]);
    expect((await storage.getRun("one"))?.lastSeq).toBe(2);
  });

  it("cannot close twice", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await commit(storage, workflowCommit(claim, { events: [event()], close: completed, next: hold }));
    const twice = workflowCommit(claim, { expectedSeq: 2, close: { status: "failed" }, next: done });
    expect(await commit(storage, twice)).toEqual({ status: "invalid", code: "close-twice" });
  });

  it("schedules before it cancels, and cancels tasks of its own run only", async () => {
    const { storage } = openStorage();
    const other = await startAndClaim(storage, "other");
    await commit(storage, workflowCommit(other.claim, { schedule: [activityTask("other", 2)] }));
    const { claim } = await startAndClaim(storage, "r");
    await commit(
      storage,
      workflowCommit(claim, {
        schedule: [activityTask("r", 2), activityTask("r", 3, { readyAt: 5 })],
        cancel: [activityTask("r", 2).taskId, activityTask("other", 2).taskId, other.claim.taskId, claim.taskId],
      }),
    );
    const { tasks } = await storage.claimTasks(claimRequest());
    expect(tasks.map((task) => task.claim.taskId)).toEqual([
      activityTask("r", 3).taskId,
      activityTask("other", 2).taskId,
    ]);
    expect(await storage.getRun("r")).toMatchObject({ task: { leaseUntil: null } });
  });

  it("takes the run's activity tasks with it when it is done", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await commit(storage, workflowCommit(claim, { events: [event()], schedule: [activityTask("r", 2)], next: hold }));
    const activity = await claimOne(storage);
    await commit(storage, workflowCommit(claim, { expectedSeq: 2, close: completed, next: done }));
    expect(await storage.renewLeases([activity.claim], LEASE)).toEqual([{ status: "lost" }]);
    expect((await storage.stats()).queues).toEqual([]);
  });

  it("parks until its time, or at once over unread messages (I10, I11)", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    const wakeAt = clock.now() + 1_000;
    await storage.deliver([message("r", "m")]);
    await commit(storage, workflowCommit(claim, { next: { do: "park", wakeAt } }));
    const again = await claimOne(storage);
    expect(again.deliveries).toBe(1);
    await commit(storage, workflowCommit(again.claim, { ackInbox: 1, next: { do: "park", wakeAt } }));
    clock.set(wakeAt - 1);
    expect(await storage.claimTasks(claimRequest())).toMatchObject({ tasks: [], nextReadyAt: wakeAt });
    clock.set(wakeAt);
    expect(await claimOne(storage)).toMatchObject({ inboxAcked: 1, messages: [] });
  });

  it("of a purged run cannot touch a new run of the same id (I6, I26)", async () => {
    const { storage, clock } = openStorage();
    const old = await startAndClaim(storage, "r");
    await commit(storage, workflowCommit(old.claim, { close: completed, next: done }));
    expect(await storage.purgeRuns({ closedBefore: clock.now() + 1, minAgeMs: 0, limit: 10 })).toEqual({
      purged: 1,
      more: false,
    });
    await storage.createRuns([newRun("r", { incarnation: "incarnation-0002" })]);
    const fresh = await claimOne(storage);
    expect(fresh.claim).toMatchObject({ epoch: old.claim.epoch, runId: "r", incarnation: "incarnation-0002" });
    expect(await commit(storage, workflowCommit(old.claim, { events: [event()], next: hold }))).toEqual({
      status: "lease-lost",
    });
    expect(await storage.deliver([message("r", "m", { incarnation: INCARNATION })])).toEqual([{ status: "unknown" }]);
    expect(await storage.readEvents([{ runId: "r", incarnation: INCARNATION, after: 0 }])).toEqual([
      { events: [], lastSeq: 0 },
    ]);
    expect((await storage.getRun("r"))?.lastSeq).toBe(1);
  });
});
