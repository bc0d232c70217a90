import { describe, expect, it } from "vitest";
import {
  commit,
  event,
  finishRun,
  INCARNATION,
  newRun,
  openStorage,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

const HOUR = 3_600_000;

describe("purgeRuns", () => {
  it("deletes what is done and old enough, and frees the id (I26)", async () => {
    const { storage, clock } = openStorage();
    await finishRun(storage, "r");
    const closedAt = clock.now();
    clock.advance(HOUR - 1);
    expect(await storage.purgeRuns({ closedBefore: closedAt + 1, limit: 1 })).toEqual({ purged: 0, more: false });
    clock.advance(1);
    expect(await storage.purgeRuns({ closedBefore: closedAt, limit: 1 })).toEqual({ purged: 0, more: false });
    expect(await storage.purgeRuns({ closedBefore: closedAt + 1, limit: 1 })).toEqual({ purged: 1, more: false });
    expect(await storage.getRun("r")).toBeUndefined();
    expect(await storage.readEvents([{ runId: "r", after: 0 }])).toEqual([{ events: [], lastSeq: 0 }]);
    expect(await storage.createRuns([newRun("r", { startHash: "new" })])).toMatchObject([{ status: "created" }]);
  });

  it("keeps open runs, and closed ones whose task still owes something", async () => {
    const { storage, clock } = openStorage();
    await storage.createRuns([newRun("open", { queue: "slow" })]);
    const { claim } = await startAndClaim(storage, "telling");
    const close = { status: "completed" } as const;
    await commit(storage, workflowCommit(claim, { events: [event()], close, next: { do: "hold" } }));
    clock.advance(HOUR);
    const request = { closedBefore: clock.now(), minAgeMs: 0, limit: 10 };
    expect(await storage.purgeRuns(request)).toEqual({ purged: 0, more: false });
    await commit(storage, workflowCommit(claim, { expectedSeq: 2, next: { do: "done" } }));
    expect(await storage.purgeRuns(request)).toEqual({ purged: 1, more: false });
    expect(await storage.getRun("open")).toBeDefined();
  });

  it("keeps a child while this incarnation of its parent is open", async () => {
    const { storage, clock } = openStorage();
    await storage.createRuns([newRun("parent", { queue: "slow" })]);
    const parent = { runId: "parent", incarnation: INCARNATION, seq: 2 };
    await finishRun(storage, "child", { parent });
    await finishRun(storage, "orphan", { parent: { ...parent, incarnation: "incarnation-0002" } });
    const request = { closedBefore: clock.now() + 1, minAgeMs: 0, limit: 10 };
    expect(await storage.purgeRuns(request)).toEqual({ purged: 1, more: false });
    expect(await storage.getRun("child")).toBeDefined();
  });

  it("takes the oldest first, up to its limit, of the named statuses and ids", async () => {
    const { storage, clock } = openStorage();
    for (const runId of ["a", "b", "c", "d"]) {
      await finishRun(storage, runId);
      clock.advance(1);
    }
    const request = { closedBefore: clock.now(), minAgeMs: 0, limit: 2 };
    expect(await storage.purgeRuns({ ...request, status: ["failed"] })).toEqual({ purged: 0, more: false });
    expect(await storage.purgeRuns({ ...request, runIds: ["d", "d", "none"] })).toEqual({ purged: 1, more: false });
    expect(await storage.purgeRuns(request)).toEqual({ purged: 2, more: true });
    expect(await storage.getRun("c")).toBeDefined();
    expect(await storage.purgeRuns(request)).toEqual({ purged: 1, more: false });
  });
});
