import { describe, expect, it } from "vitest";
import { createMemoryStore, memory } from "../memory.ts";
import type { StorageBackend, Subscription, Topic } from "../storage.ts";
import {
  activityTask,
  claimOne,
  commit,
  event,
  message,
  newRun,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

async function listen(storage: StorageBackend): Promise<{ subscription: Subscription; heard: () => Promise<Topic[]> }> {
  let topics: Topic[] = [];
  const subscription = await storage.subscribe!((topic) => topics.push(topic));
  async function heard(): Promise<Topic[]> {
    await Promise.resolve();
    const all = topics;
    topics = [];
    return all;
  }
  return { subscription, heard };
}

const queue = { of: "queue", queue: "default" } as const;
const inbox = { of: "inbox", runId: "r" } as const;
const closed = { of: "closed", runId: "r" } as const;

describe("hints", () => {
  it("reach the other clients of the store, each topic once, and no other namespace", async () => {
    const store = createMemoryStore();
    const writer = memory({ store });
    const { subscription, heard } = await listen(memory({ store }));
    const stranger = await listen(memory({ store, namespace: "other" }));
    for (const topic of [queue, inbox, closed]) {
      subscription.add(topic);
      stranger.subscription.add(topic);
    }
    await writer.createRuns([newRun("r"), newRun("s"), newRun("t", { queue: "unheard" })]);
    expect(await heard()).toEqual([queue]);
    expect(await stranger.heard()).toEqual([]);
  });

  it("say that a run is ready, that a held run has a message, that a run closed", async () => {
    const storage = memory();
    const { subscription, heard } = await listen(storage);
    const { claim } = await startAndClaim(storage, "r");
    for (const topic of [queue, inbox, closed]) subscription.add(topic);
    await storage.deliver([message("r", "held")]);
    expect(await heard()).toEqual([inbox]);
    await commit(
      storage,
      workflowCommit(claim, { ackInbox: 1, events: [event()], schedule: [activityTask("r", 2)], next: { do: "hold" } }),
    );
    expect(await heard()).toEqual([queue]);
    await commit(storage, workflowCommit(claim, { expectedSeq: 2, ackInbox: 1 }));
    expect(await heard()).toEqual([]);
    await storage.deliver([message("r", "parked")]);
    expect(await heard()).toEqual([queue]);
    const again = await claimOne(storage, { taskIds: [claim.taskId] });
    const close = { status: "cancelled" } as const;
    await commit(storage, workflowCommit(again.claim, { expectedSeq: 2, ackInbox: 2, close, next: { do: "done" } }));
    expect(await heard()).toEqual([closed]);
  });

  it("end with the topic, the subscription and the backend", async () => {
    const store = createMemoryStore();
    const writer = memory({ store });
    const reader = memory({ store });
    const deleted = await listen(reader);
    const ended = await listen(reader);
    const left = await listen(reader);
    for (const { subscription } of [deleted, ended, left]) subscription.add(queue);
    deleted.subscription.delete(queue);
    await ended.subscription.close();
    ended.subscription.add(queue);
    await writer.createRuns([newRun("a")]);
    expect([await deleted.heard(), await ended.heard(), await left.heard()]).toEqual([[], [], [queue]]);
    await reader.close();
    await writer.createRuns([newRun("b")]);
    expect(await left.heard()).toEqual([]);
  });

  it("never fail the writer, and are told after its write", async () => {
    const storage = memory();
    let seen: Promise<unknown> | undefined;
    const subscription = await storage.subscribe!(() => {
      seen = storage.getRun("r");
      throw new Error("a listener's fault");
    });
    subscription.add(queue);
    expect(await storage.createRuns([newRun("r")])).toMatchObject([{ status: "created" }]);
    expect(await seen).toMatchObject({ runId: "r" });
  });
});
