import { describe, expect, it } from "vitest";
import {
  claimOne,
  claimRequest,
  commit,
  event,
  LEASE,
  message,
  newRun,
  openStorage,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

const DAY = 24 * 3_600_000;

describe("deliver", () => {
  it("wakes a parked run at once (I11)", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await commit(storage, workflowCommit(claim, { next: { do: "park", wakeAt: clock.now() + DAY } }));
    expect(await storage.claimTasks(claimRequest())).toMatchObject({ tasks: [], nextReadyAt: clock.now() + DAY });
    expect(await storage.deliver([message("r", "m")])).toEqual([{ status: "accepted" }]);
    expect(await claimOne(storage)).toMatchObject({ messages: [{ no: 1, dedupeId: "m" }] });
  });

  it("leaves a held run with its holder, whose park sees the message (I11)", async () => {
    const { storage } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await storage.deliver([message("r", "m")]);
    expect((await storage.claimTasks(claimRequest({ workerInstance: "other" }))).tasks).toEqual([]);
    expect(await commit(storage, workflowCommit(claim))).toMatchObject({
      status: "ok",
      held: false,
      inboxLast: 1,
      messages: [],
    });
    expect(await claimOne(storage)).toMatchObject({ messages: [{ dedupeId: "m" }] });
  });

  it("answers each message of a batch on its own, in order", async () => {
    const { storage } = openStorage();
    await storage.createRuns([newRun("r")]);
    const results = await storage.deliver([
      message("r", "a"),
      message("none", "a"),
      message("r", "a"),
      message("r", "b", { incarnation: "incarnation-0002" }),
      message("r", "c"),
      message("r", "A"),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      "accepted",
      "unknown",
      "duplicate",
      "unknown",
      "accepted",
      "accepted",
    ]);
    const task = await claimOne(storage);
    expect(task).toMatchObject({
      messages: [
        { no: 1, dedupeId: "a" },
        { no: 2, dedupeId: "c" },
        { no: 3, dedupeId: "A" },
      ],
    });
  });

  it("remembers ids from outside for a day after their ack, and others until it", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    const batch = [message("r", "outside"), message("r", "inside", { external: false })];
    const statuses = async () => (await storage.deliver(batch)).map(({ status }) => status);
    expect(await statuses()).toEqual(["accepted", "accepted"]);
    expect(await statuses()).toEqual(["duplicate", "duplicate"]);
    await commit(storage, workflowCommit(claim, { ackInbox: 2 }));
    clock.advance(DAY - 1);
    expect(await statuses()).toEqual(["duplicate", "accepted"]);
    clock.advance(1);
    expect(await statuses()).toEqual(["accepted", "duplicate"]);
  });

  it("is closed from the terminal commit on, also before the task is done (I4)", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    const events = [{ type: "WORKFLOW_COMPLETED", command: null, at: 1, data: "{}" }];
    await commit(storage, workflowCommit(claim, { events, close: { status: "completed" }, next: { do: "hold" } }));
    expect(await storage.deliver([message("r", "m")])).toEqual([{ status: "closed" }]);
    clock.advance(LEASE);
    const again = await claimOne(storage);
    await commit(storage, workflowCommit(again.claim, { expectedSeq: 2, next: { do: "done" } }));
    expect(await storage.deliver([message("r", "m")])).toEqual([{ status: "closed" }]);
  });

  it("knows what it had accepted from outside, closed or done, for as long as the run is there (I18)", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    const batch = [message("r", "outside"), message("r", "inside", { external: false })];
    await storage.deliver(batch);
    const close = { ackInbox: 2, close: { status: "completed" }, next: { do: "hold" } } as const;
    await commit(storage, workflowCommit(claim, { events: [event("WORKFLOW_COMPLETED")], ...close }));
    const statuses = async () => (await storage.deliver(batch)).map(({ status }) => status);
    expect(await statuses()).toEqual(["duplicate", "closed"]);
    await commit(storage, workflowCommit(claim, { expectedSeq: 2, ackInbox: 2, next: { do: "done" } }));
    clock.advance(2 * DAY);
    expect(await statuses()).toEqual(["duplicate", "closed"]);
    await storage.purgeRuns({ closedBefore: clock.now(), limit: 1 });
    expect(await statuses()).toEqual(["unknown", "unknown"]);
  });
});
