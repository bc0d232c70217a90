import { describe, expect, it } from "vitest";
import type { Claim, StorageBackend } from "../storage.ts";
import {
  claimOne,
  claimRequest,
  commit,
  LEASE,
  message,
  openStorage,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

async function block(storage: StorageBackend, claim: Claim, until: number | null): Promise<void> {
  await commit(storage, workflowCommit(claim, { next: { do: "block", reason: '"poisoned"', until } }));
}

describe("a blocked task", () => {
  it("keeps its messages and its deliveries, and no message wakes it", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await storage.deliver([message("r", "before")]);
    await block(storage, claim, null);
    await storage.deliver([message("r", "after")]);
    expect(await storage.claimTasks(claimRequest())).toEqual({ now: clock.now(), tasks: [], nextReadyAt: null });
    expect((await storage.getRun("r"))?.task).toMatchObject({
      blocked: '"poisoned"',
      deliveries: 1,
      unread: 2,
      readyAt: null,
    });
  });

  it("comes back at its time with its reason, which a commit lifts", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await block(storage, claim, clock.now() + 30);
    clock.advance(30);
    const again = await claimOne(storage);
    expect(again).toMatchObject({ blocked: '"poisoned"', deliveries: 2 });
    await commit(storage, workflowCommit(again.claim));
    expect((await storage.getRun("r"))?.task).toMatchObject({ blocked: null, deliveries: 0 });
  });

  it("is ready again when the lease of somebody who claimed it by its id has ended", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await block(storage, claim, null);
    await claimOne(storage, { taskIds: [claim.taskId] });
    clock.advance(LEASE);
    expect(await claimOne(storage)).toMatchObject({ blocked: '"poisoned"', deliveries: 3 });
  });

  it("is ready at once when it is unblocked, with a clean slate", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await block(storage, claim, null);
    const gone = { ...claim, taskId: `${claim.taskId}x` as Claim["taskId"] };
    expect(await storage.unblockTasks([claim.taskId, claim.taskId, gone.taskId])).toEqual([
      { status: "unblocked" },
      { status: "not-blocked" },
      { status: "unknown" },
    ]);
    expect(await claimOne(storage)).toMatchObject({ blocked: null, deliveries: 1 });
  });

  it("is not taken from its holder when it is unblocked (I8)", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await block(storage, claim, null);
    const holder = await claimOne(storage, { taskIds: [claim.taskId] });
    await storage.unblockTasks([claim.taskId]);
    expect((await storage.claimTasks(claimRequest())).tasks).toEqual([]);
    expect(await commit(storage, workflowCommit(holder.claim))).toMatchObject({ status: "ok" });
  });
});
