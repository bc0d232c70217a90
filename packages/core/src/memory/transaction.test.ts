import { describe, expect, it } from "vitest";
import { createMemoryStore, memory, type MemoryStorage, type MemoryTransaction, virtualClock } from "../memory.ts";
import type { ClaimedActivityTask } from "../storage.ts";
import {
  activityCommit,
  activityTask,
  claimOne,
  claimRequest,
  commit,
  event,
  message,
  newRun,
  runQuery,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

const clock = virtualClock(1_000_000);
const outcome = message("r", "outcome", { external: false });

function open(): MemoryStorage {
  return memory({ clock });
}

/** A transaction that somebody ends later. */
function begun(storage: MemoryStorage): { readonly tx: MemoryTransaction; readonly commit: () => Promise<void> } {
  const end = Promise.withResolvers<void>();
  let tx!: MemoryTransaction;
  const ended = storage.transaction((given) => {
    tx = given;
    return end.promise;
  });
  ended.catch(() => {});
  return { tx, commit: () => (end.resolve(), ended) };
}

async function heldActivity(storage: MemoryStorage): Promise<ClaimedActivityTask> {
  const { claim } = await startAndClaim(storage, "r");
  await commit(storage, workflowCommit(claim, { events: [event()], schedule: [activityTask("r", 2)] }));
  return (await claimOne(storage, { kinds: ["activity"] })) as ClaimedActivityTask;
}

describe("a transaction of memory", () => {
  it("writes nothing before its end, and then all of it", async () => {
    const storage = open();
    const activity = await heldActivity(storage);
    const { tx, commit: end } = begun(storage);
    const before = [await storage.getRun("r"), await storage.stats()];
    expect(await storage.createRuns([newRun("s"), newRun("t")], { tx })).toMatchObject([
      { status: "created", run: { runId: "s", createdAt: 1_000_000 } },
      { status: "created" },
    ]);
    expect(await storage.deliver([message("s", "m")], { tx })).toEqual([{ status: "accepted" }]);
    const complete = activityCommit(activity.claim, { do: "complete", message: outcome });
    expect(await storage.commitTasks([complete], { tx })).toMatchObject([{ status: "ok", held: false }]);
    expect([await storage.getRun("r"), await storage.stats()]).toEqual(before);
    expect(await storage.getRun("s")).toBeUndefined();
    await end();
    expect((await storage.listRuns(runQuery())).items).toMatchObject([{ runId: "t" }, { runId: "s" }, { runId: "r" }]);
    expect(await storage.getRun("r")).toMatchObject({ task: { unread: 1 } });
    expect(await storage.getRun("s")).toMatchObject({ lastSeq: 1, task: { unread: 1 } });
    expect(await commit(storage, complete)).toMatchObject({ status: "duplicate" });
    expect((await storage.claimTasks(claimRequest())).tasks).toHaveLength(3);
  });

  it("answers as of inside it: what it has written, and what others have", async () => {
    const storage = open();
    await storage.createRuns([newRun("mine")]);
    await storage.deliver([message("mine", "m")]);
    const answer = await storage.transaction(async (tx) => [
      await storage.createRuns([newRun("mine"), newRun("mine", { startHash: "other" }), newRun("s")], { tx }),
      await storage.createRuns([newRun("s")], { tx }),
      await storage.deliver([message("mine", "m"), message("mine", "n"), message("nobody", "n")], { tx }),
      await storage.deliver([message("mine", "n"), message("s", "m")], { tx }),
    ]);
    expect(answer).toMatchObject([
      [{ status: "existing" }, { status: "conflict" }, { status: "created" }],
      [{ status: "existing", run: { runId: "s" } }],
      [{ status: "duplicate" }, { status: "accepted" }, { status: "unknown" }],
      [{ status: "duplicate" }, { status: "accepted" }],
    ]);
  });

  it("leaves nothing when its function rejects", async () => {
    const storage = open();
    const activity = await heldActivity(storage);
    const before = [await storage.getRun("r"), await storage.stats()];
    const refusal = new Error("no money");
    const refused = storage.transaction(async (tx) => {
      await storage.createRuns([newRun("s")], { tx });
      await storage.deliver([message("r", "m")], { tx });
      await storage.commitTasks([activityCommit(activity.claim, { do: "release" })], { tx });
      throw refusal;
    });
    await expect(refused).rejects.toBe(refusal);
    expect([await storage.getRun("r"), await storage.stats()]).toEqual(before);
    expect(await storage.deliver([message("r", "m")])).toEqual([{ status: "accepted" }]);
    expect(await storage.renewLeases([activity.claim], 5_000)).toMatchObject([{ status: "held" }]);
  });

  it("keeps what it was given, whatever the caller does to it", async () => {
    const storage = open();
    const run = { ...newRun("s"), attributes: { a: 1 } };
    await storage.transaction(async (tx) => {
      await storage.createRuns([run], { tx });
      Object.assign(run, { runId: "scribbled" });
      run.attributes.a = 2;
    });
    expect(await storage.getRun("s")).toMatchObject({ attributes: { a: 1 } });
  });

  it("is rolled back when what it was told is not so any more", async () => {
    const storage = open();
    const activity = await heldActivity(storage);
    const [one, two, three] = [begun(storage), begun(storage), begun(storage)];
    await storage.createRuns([newRun("s")], { tx: one.tx });
    await storage.createRuns([newRun("s"), newRun("t")], { tx: two.tx });
    const complete = activityCommit(activity.claim, { do: "complete", message: outcome });
    await storage.commitTasks([complete], { tx: three.tx });
    await one.commit();
    await expect(two.commit()).rejects.toMatchObject({ code: "unavailable" });
    expect(await storage.getRun("t")).toBeUndefined();
    await commit(storage, activityCommit(activity.claim, { do: "release" }));
    await expect(three.commit()).rejects.toMatchObject({ code: "unavailable" });
    expect(await storage.getRun("r")).toMatchObject({ task: { unread: 0 } });
  });

  it("is not disturbed by others who write to the same runs", async () => {
    const storage = open();
    await storage.createRuns([newRun("r")]);
    const [one, two] = [begun(storage), begun(storage)];
    for (const { tx } of [one, two]) {
      await storage.deliver([message("r", tx === one.tx ? "1" : "2")], { tx });
    }
    await storage.deliver([message("r", "0")]);
    await two.commit();
    await one.commit();
    expect(await claimOne(storage)).toMatchObject({
      messages: [
        { no: 1, dedupeId: "0" },
        { no: 2, dedupeId: "2" },
        { no: 3, dedupeId: "1" },
      ],
    });
  });

  it("gives its hints at its end", async () => {
    const storage = open();
    const hints: unknown[] = [];
    const subscription = await storage.subscribe!((topic) => void hints.push(topic));
    subscription.add({ of: "queue", queue: "default" });
    const { tx, commit: end } = begun(storage);
    await storage.createRuns([newRun("r")], { tx });
    await Promise.resolve();
    expect(hints).toEqual([]);
    await end();
    await Promise.resolve();
    expect(hints).toEqual([{ of: "queue", queue: "default" }]);
  });

  it("can be joined where it was begun, while it is open", async () => {
    const store = createMemoryStore();
    const [storage, client, other] = [memory({ store }), memory({ store }), memory({ store, namespace: "other" })];
    const { tx, commit: end } = begun(storage);
    expect(await client.createRuns([newRun("s")], { tx })).toMatchObject([{ status: "created" }]);
    const refused = { code: "invalid-argument" };
    await expect(other.createRuns([], { tx })).rejects.toMatchObject(refused);
    await end();
    for (const unusable of [tx, {}, null, "tx"]) {
      const options = { tx: unusable };
      await expect(storage.createRuns([newRun("t")], options)).rejects.toMatchObject(refused);
      await expect(storage.deliver([], options)).rejects.toMatchObject(refused);
      await expect(storage.commitTasks([], options)).rejects.toMatchObject(refused);
    }
    expect(await storage.getRun("t")).toBeUndefined();
  });

  it("takes no workflow commits", async () => {
    const storage = open();
    const { claim } = await startAndClaim(storage, "r");
    const turn = workflowCommit(claim, { events: [event()] });
    const refused = storage.transaction((tx) => storage.commitTasks([turn], { tx }));
    await expect(refused).rejects.toMatchObject({ code: "invalid-argument" });
    expect(await commit(storage, turn)).toMatchObject({ status: "ok" });
  });

  it("ends with the storage that began it", async () => {
    const store = createMemoryStore();
    const storage = memory({ store });
    const { tx, commit: end } = begun(storage);
    await storage.createRuns([newRun("s")], { tx });
    await storage.close();
    await expect(end()).rejects.toMatchObject({ code: "misconfigured" });
    await expect(storage.transaction(async () => {})).rejects.toMatchObject({ code: "misconfigured" });
    expect(await memory({ store }).getRun("s")).toBeUndefined();
  });
});
