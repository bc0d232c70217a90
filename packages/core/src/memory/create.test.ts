import { describe, expect, it } from "vitest";
import { claimRequest, event, newRun, openStorage } from "../../test/port.ts";

describe("createRuns", () => {
  it("stores run, task and first event together (I3)", async () => {
    const { storage, clock } = openStorage();
    const run = newRun("r", {
      input: "1",
      state: "2",
      attributes: { tier: "gold" },
      started: event("WORKFLOW_STARTED", "3"),
    });
    const [created] = await storage.createRuns([run]);
    expect(created).toMatchObject({
      status: "created",
      run: { runId: "r", status: "open", baseSeq: 0, createdAt: clock.now() },
    });
    expect(await storage.getRun("r")).toEqual({
      ...created!.run,
      closedAt: null,
      output: null,
      failure: null,
      state: "2",
      attributes: { tier: "gold" },
      lastSeq: 1,
      lastCommitId: null,
      task: {
        readyAt: clock.now(),
        leaseUntil: null,
        workerId: null,
        epoch: 0,
        deliveries: 0,
        blocked: null,
        unread: 0,
      },
    });
    const [page] = await storage.readEvents([{ runId: "r", after: 0 }]);
    expect(page).toEqual({ events: [{ seq: 1, ...event("WORKFLOW_STARTED", "3") }], lastSeq: 1 });
  });

  it("makes one run of one id, and tells the same start from another (I15)", async () => {
    const { storage } = openStorage();
    const other = "incarnation-0002";
    const results = await storage.createRuns([
      newRun("r"),
      newRun("r", { incarnation: other }),
      newRun("r", { incarnation: other, startHash: "another" }),
      newRun("R"),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["created", "existing", "conflict", "created"]);
    expect(results[1]!.run).toEqual(results[0]!.run);
    expect((await storage.stats()).runs.open).toBe(2);
  });

  it("keeps a run from being claimed before its time (I10)", async () => {
    const { storage, clock } = openStorage();
    const readyAt = clock.now() + 50;
    await storage.createRuns([newRun("later", { readyAt })]);
    clock.advance(49);
    expect(await storage.claimTasks(claimRequest())).toMatchObject({ tasks: [], nextReadyAt: readyAt });
    clock.advance(1);
    expect((await storage.claimTasks(claimRequest())).tasks).toHaveLength(1);
  });
});
