import { describe, expect, it } from "vitest";
import { workflowTaskId } from "../model/ids.ts";
import type { ClaimResult } from "../storage.ts";
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

const taskOf = (runId: string) => workflowTaskId(runId, INCARNATION);
const runsOf = ({ tasks }: ClaimResult) => tasks.map(({ claim }) => claim.runId);

describe("claimTasks", () => {
  it("hands a task to one caller until its lease ends, then to the next with a newer epoch (I8)", async () => {
    const { storage, clock } = openStorage();
    const first = await startAndClaim(storage, "r");
    expect(first).toMatchObject({ claim: { epoch: 1 }, leaseUntil: clock.now() + LEASE, deliveries: 1, lastSeq: 1 });
    clock.advance(LEASE - 1);
    const other = claimRequest({ workerInstance: "other" });
    expect(await storage.claimTasks(other)).toMatchObject({ tasks: [], nextReadyAt: first.leaseUntil });
    clock.advance(1);
    expect((await storage.claimTasks(other)).tasks).toMatchObject([{ claim: { epoch: 2 }, deliveries: 2 }]);
  });

  it("brings header, messages and few events, and leaves out many", async () => {
    const { storage } = openStorage();
    await storage.createRuns([newRun("few"), newRun("many")]);
    await storage.deliver([message("few", "m")]);
    const [few] = (await storage.claimTasks(claimRequest({ inlineEvents: 1, limit: 1 }))).tasks;
    expect(few).toMatchObject({
      run: { runId: "few", input: "{}", baseSeq: 0 },
      messages: [{ no: 1, dedupeId: "m", data: '"m"' }],
      events: [{ seq: 1, type: "WORKFLOW_STARTED" }],
      inboxAcked: 0,
      closed: false,
      onlyTimeOut: false,
    });
    expect(await claimOne(storage, { inlineEvents: 0 })).toMatchObject({ run: { runId: "many" }, events: null });
  });

  it("orders by waiting time and priority, so that nothing starves (I27)", async () => {
    const { storage, clock } = openStorage();
    await storage.createRuns([newRun("oldest"), newRun("oldest-low", { priority: -1 })]);
    clock.advance(9_999);
    await storage.createRuns([newRun("high", { priority: 1 })]);
    clock.advance(2);
    await storage.createRuns([newRun("newest"), newRun("newest-high", { priority: 1 })]);
    expect(runsOf(await storage.claimTasks(claimRequest()))).toEqual([
      "high",
      "oldest",
      "newest-high",
      "oldest-low",
      "newest",
    ]);
  });

  it("orders over queues and names together, and says that more is ready", async () => {
    const { storage, clock } = openStorage();
    const request = claimRequest({
      queues: ["a", "b"],
      handlers: { workflows: ["order", "refund"], activities: [] },
      limit: 2,
    });
    for (const [runId, queue, workflow] of [
      ["1", "b", "refund"],
      ["2", "a", "order"],
      ["3", "b", "order"],
    ] as const) {
      await storage.createRuns([newRun(runId, { queue, workflow })]);
      clock.advance(1);
    }
    const result = await storage.claimTasks(request);
    expect(runsOf(result)).toEqual(["1", "2"]);
    expect(result.nextReadyAt).toBeLessThanOrEqual(result.now);
    expect(runsOf(await storage.claimTasks({ ...request, workerInstance: "other" }))).toEqual(["3"]);
  });

  it("never hands out a task of another queue, kind or name", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await commit(storage, workflowCommit(claim, { schedule: [activityTask("r", 2)], next: { do: "park", wakeAt: 0 } }));
    const nothing = { tasks: [], nextReadyAt: null };
    for (const fields of [
      { queues: ["other"] },
      { kinds: [] },
      { handlers: { workflows: ["charge"], activities: ["order"] } },
    ]) {
      expect(await storage.claimTasks(claimRequest(fields))).toMatchObject(nothing);
    }
    expect((await storage.claimTasks(claimRequest())).tasks.map(({ kind }) => kind)).toEqual(["workflow", "activity"]);
  });

  it("gives runs past their deadline to any worker that takes them, only to time them out", async () => {
    const { storage, clock } = openStorage();
    const deadlineAt = clock.now() + 100;
    await storage.createRuns([
      newRun("r", { queue: "far", workflow: "strange", deadlineAt }),
      newRun("known", { deadlineAt }),
    ]);
    const request = claimRequest({ overdue: true, limit: 1 });
    expect(await storage.claimTasks(request)).toMatchObject({
      tasks: [{ claim: { runId: "known" } }],
      nextReadyAt: deadlineAt,
    });
    clock.advance(100);
    const other = claimRequest({ workerInstance: "other" });
    expect(await storage.claimTasks(other)).toMatchObject({ tasks: [] });
    expect((await storage.claimTasks({ ...other, overdue: true })).tasks).toMatchObject([
      { claim: { runId: "r" }, onlyTimeOut: true },
    ]);
    clock.advance(LEASE);
    const again = await storage.claimTasks(claimRequest({ workerInstance: "third", overdue: true }));
    expect(again.tasks.map((task) => task.kind === "workflow" && [task.run.runId, task.onlyTimeOut])).toEqual([
      ["known", false],
      ["r", true],
    ]);
  });

  it("repeats a claim whose answer was lost, without counting a delivery", async () => {
    const { storage } = openStorage();
    await storage.createRuns([newRun("lost"), newRun("known"), newRun("fresh")]);
    await storage.claimTasks(claimRequest({ limit: 2 }));
    const again = await storage.claimTasks(claimRequest({ holding: [taskOf("known")], limit: 1 }));
    expect(again.tasks).toMatchObject([{ claim: { runId: "lost", epoch: 2 }, deliveries: 1 }]);
    expect(again.nextReadyAt).toBeLessThanOrEqual(again.now);
    const rest = await storage.claimTasks(claimRequest({ holding: [taskOf("known"), taskOf("lost")] }));
    expect(runsOf(rest)).toEqual(["fresh"]);
    expect((await storage.claimTasks(claimRequest({ workerInstance: "restarted" }))).tasks).toEqual([]);
  });

  it("repeats the lost claim of what the request selects only: of overdue runs too, of their activities not", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r", { deadlineAt: clock.now() + 100 });
    const schedule = [activityTask("r", 2)];
    await commit(storage, workflowCommit(claim, { schedule, next: { do: "park", wakeAt: clock.now() } }));
    clock.advance(100);
    expect((await storage.claimTasks(claimRequest())).tasks.map(({ kind }) => kind)).toEqual(["workflow", "activity"]);
    const strange = claimRequest({ queues: ["other"] });
    expect((await storage.claimTasks(strange)).tasks).toEqual([]);
    expect((await storage.claimTasks({ ...strange, overdue: true })).tasks).toMatchObject([
      { kind: "workflow", onlyTimeOut: true, deliveries: 1, claim: { epoch: 3 } },
    ]);
  });

  it("claims named tasks whatever they wait for, but not from a live owner", async () => {
    const { storage, clock } = openStorage();
    const held = await startAndClaim(storage, "held");
    const parked = await startAndClaim(storage, "parked");
    const blocked = await startAndClaim(storage, "blocked");
    await commit(storage, workflowCommit(parked.claim));
    await commit(storage, workflowCommit(blocked.claim, { next: { do: "block", reason: '"bad"', until: null } }));
    const request = claimRequest({
      workerInstance: "operator",
      queues: [],
      taskIds: ["held", "blocked", "gone", "parked", "parked"].map(taskOf),
    });
    const result = await storage.claimTasks(request);
    expect(result).toMatchObject({
      nextReadyAt: null,
      tasks: [
        { claim: { runId: "blocked" }, blocked: '"bad"', onlyTimeOut: false, deliveries: 2 },
        { claim: { runId: "parked" }, blocked: null, onlyTimeOut: false },
      ],
    });
    expect(runsOf(await storage.claimTasks(request))).toEqual(["blocked", "parked"]);
    clock.advance(LEASE);
    expect(runsOf(await storage.claimTasks({ ...request, limit: 1 }))).toEqual(["held"]);
    expect(await commit(storage, workflowCommit(held.claim))).toEqual({ status: "lease-lost" });
  });

  it("hands out a closed task until it is done", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    const close = { status: "failed", failure: '"why"' } as const;
    await commit(storage, workflowCommit(claim, { events: [event("WORKFLOW_FAILED")], close, next: { do: "hold" } }));
    clock.advance(LEASE);
    const again = await claimOne(storage);
    expect(again).toMatchObject({ closed: true, lastSeq: 2 });
    expect(await commit(storage, workflowCommit(again.claim, { expectedSeq: 2, next: { do: "done" } }))).toMatchObject({
      status: "ok",
      held: false,
      leaseUntil: null,
    });
    expect(await storage.getRun("r")).toMatchObject({ status: "failed", failure: '"why"', output: null, task: null });
  });
});
