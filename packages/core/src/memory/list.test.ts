import { describe, expect, it } from "vitest";
import type { RunQuery, StorageBackend } from "../storage.ts";
import { commit, finishRun, newRun, openStorage, runQuery, startAndClaim, workflowCommit } from "../../test/port.ts";

async function idsOf(storage: StorageBackend, query: Partial<RunQuery> = {}): Promise<readonly string[]> {
  return (await storage.listRuns(runQuery(query))).items.map(({ runId }) => runId);
}

describe("listRuns", () => {
  it("lists the newest first, equal times by descending bytes of the id", async () => {
    const { storage, clock } = openStorage();
    await storage.createRuns([newRun("old")]);
    clock.advance(1);
    await storage.createRuns(["b", "\u{1F600}", "A", "\uFF5E", "a", "a "].map((id) => newRun(id)));
    expect(await idsOf(storage)).toEqual(["\u{1F600}", "\uFF5E", "b", "a ", "a", "A", "old"]);
  });

  it("neither repeats nor misses a run over pages, whatever comes and goes between them (I19)", async () => {
    const { storage, clock } = openStorage();
    await storage.createRuns(Array.from({ length: 10 }, (_, i) => newRun(`r${i}`)));
    const first = await storage.listRuns(runQuery({ limit: 4 }));
    expect(first.items.map(({ runId }) => runId)).toEqual(["r9", "r8", "r7", "r6"]);
    clock.advance(1);
    await storage.createRuns([newRun("new")]);
    const second = await storage.listRuns(runQuery({ limit: 6, cursor: first.cursor! }));
    expect(second.items.map(({ runId }) => runId)).toEqual(["r5", "r4", "r3", "r2", "r1", "r0"]);
    expect(second.cursor).toBeNull();
    await expect(storage.listRuns(runQuery({ cursor: "x" }))).rejects.toMatchObject({ code: "invalid-argument" });
  });

  it("filters by every condition", async () => {
    const { storage, clock } = openStorage();
    const start = clock.now();
    await finishRun(storage, "done", { attributes: { n: 1 } });
    clock.advance(10);
    const { claim } = await startAndClaim(storage, "blocked", { attributes: { n: "1", x: true } });
    await commit(storage, workflowCommit(claim, { next: { do: "block", reason: '"why"', until: null } }));
    const parent = { runId: "p", incarnation: "incarnation-0009", seq: 3 };
    await storage.createRuns([newRun("child", { parent, workflow: "refund", queue: "slow" })]);

    expect(await idsOf(storage, { status: ["completed", "failed"] })).toEqual(["done"]);
    expect(await idsOf(storage, { status: [] })).toEqual([]);
    expect(await idsOf(storage, { workflow: "refund" })).toEqual(["child"]);
    expect(await idsOf(storage, { queue: "slow" })).toEqual(["child"]);
    expect(await idsOf(storage, { blocked: true })).toEqual(["blocked"]);
    expect(await idsOf(storage, { blocked: false })).toEqual(["child", "done"]);
    expect(await idsOf(storage, { parentRunId: "p" })).toEqual(["child"]);
    expect(await idsOf(storage, { attributes: { n: 1 } })).toEqual(["done"]);
    expect(await idsOf(storage, { attributes: { x: true, n: "1" } })).toEqual(["blocked"]);
    expect(await idsOf(storage, { attributes: { toString: "x" } })).toEqual([]);
    expect(await idsOf(storage, { createdAfter: start + 10 })).toEqual(["child", "blocked"]);
    expect(await idsOf(storage, { createdBefore: start + 10 })).toEqual(["done"]);
  });

  it("shows the task but no payloads", async () => {
    const { storage, clock } = openStorage();
    await storage.createRuns([newRun("r")]);
    const { items } = await storage.listRuns(runQuery());
    expect(items).toEqual([
      {
        runId: "r",
        incarnation: "incarnation-0001",
        workflow: "order",
        version: null,
        queue: "default",
        priority: 0,
        parent: null,
        status: "open",
        attributes: {},
        createdAt: clock.now(),
        closedAt: null,
        task: {
          readyAt: clock.now(),
          leaseUntil: null,
          workerId: null,
          epoch: 0,
          deliveries: 0,
          blocked: null,
          unread: 0,
        },
      },
    ]);
  });
});
