import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newRun, take, TestStore, turn } from "./store.ts";

let store: TestStore;
beforeEach(async () => {
  store = await TestStore.start();
});
afterEach(() => store.stop());

describe("what passes is tried again", () => {
  it.each([429, 449, 503, 410, 408])("a %i, after the time that the service asks for", async (status) => {
    const client = store.open();
    await client.setup();
    store.service.faults.plan({ on: "batch", status, retryAfterMs: 5, times: 2 });
    expect(await client.createRuns([newRun()])).toMatchObject([{ status: "created" }]);
  });

  it("but not for ever: it is unavailable, and nothing was written", async () => {
    const client = store.open();
    await client.setup();
    const run = newRun();
    store.service.faults.plan({ on: "batch", status: 503, times: 1_000 });
    await expect(client.createRuns([run])).rejects.toMatchObject({ code: "unavailable" });
    store.service.faults.clear();
    expect(await client.getRun(run.runId)).toBeUndefined();
  });
});

describe("an answer that is lost (I7)", () => {
  it("is unavailable, and the identical call learns what became of it", async () => {
    const client = store.open();
    await client.setup();
    await client.createRuns([newRun()]);
    const task = await take(client);
    const commit = turn(task);
    store.service.faults.plan({ on: "batch", isLost: true });
    await expect(client.commitTasks([commit])).rejects.toMatchObject({ code: "unavailable" });
    expect(await client.commitTasks([commit])).toMatchObject([{ status: "duplicate", held: true }]);
    expect(await client.readEvents([{ runId: task.claim.runId, after: 0 }])).toMatchObject([{ lastSeq: 2 }]);
  });
});

describe("a commit that does not fit into a batch (I3)", () => {
  const data = JSON.stringify("x".repeat(1_000_000));
  const events = Array.from({ length: 5 }, () => ({ type: "NOTED", command: 0, at: 0, data }));

  it("is there as a whole", async () => {
    const client = store.open();
    await client.setup();
    await client.createRuns([newRun()]);
    const task = await take(client);
    expect(await client.commitTasks([turn(task, { events })])).toMatchObject([{ status: "ok" }]);
    const [page] = await store.open().readEvents([{ runId: task.claim.runId, after: 1 }]);
    expect(page!.events.map((event) => event.data === data)).toEqual([true, true, true, true, true]);
  });

  it("is not there at all when it breaks off before its head is written", async () => {
    const client = store.open();
    await client.setup();
    await client.createRuns([newRun()]);
    const task = await take(client);
    // All pages are staged, and the batch that would make them stay fails.
    store.service.faults.plan({ on: "batch", skip: 5, status: 400 });
    await expect(client.commitTasks([turn(task, { events })])).rejects.toMatchObject({ code: "misconfigured" });
    expect(await store.open().readEvents([{ runId: task.claim.runId, after: 0 }])).toMatchObject([{ lastSeq: 1 }]);
    expect(await client.commitTasks([turn(task)])).toMatchObject([{ status: "ok" }]);
  });
});

it("another's write in between is no loss of the lease (I6)", async () => {
  const [holder, sender] = [store.open(), store.open()];
  await holder.setup();
  await holder.createRuns([newRun()]);
  const task = await take(holder);
  const { runId } = task.claim;
  await sender.deliver([{ runId, dedupeId: "a", external: true, data: "1" }]);
  expect(await holder.commitTasks([turn(task)])).toMatchObject([{ status: "ok", messages: [{ no: 1, data: "1" }] }]);
});

it("a wrong key is told as such", async () => {
  const key = Buffer.from("wrong").toString("base64");
  await expect(store.open({ key }).setup()).rejects.toMatchObject({ code: "misconfigured" });
});

it("what is missing is not created where it shall only be checked", async () => {
  await expect(store.open({ migrate: "check" }).setup()).rejects.toMatchObject({ code: "misconfigured" });
  await store.open().setup();
  await store.open({ migrate: "check" }).setup();
});
