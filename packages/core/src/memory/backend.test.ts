import { describe, expect, it } from "vitest";
import { createMemoryStore, memory } from "../memory.ts";
import type { StorageBackend } from "../storage.ts";
import {
  claimOne,
  claimRequest,
  commit,
  event,
  INCARNATION,
  message,
  newRun,
  openStorage,
  runQuery,
  startAndClaim,
  workflowCommit,
} from "../../test/port.ts";

/** Overwrites every field of an answer, as deep as it goes. */
function scribble(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    scribble(Reflect.get(value, key));
    Reflect.set(value, key, "scribbled");
  }
}

async function everything(storage: StorageBackend): Promise<unknown> {
  return [
    await storage.getRun("r"),
    await storage.listRuns(runQuery()),
    await storage.readEvents([{ runId: "r", after: 0 }]),
    await storage.readCache(["k"]),
    await storage.stats(),
  ];
}

describe("memory", () => {
  it("never hands out or keeps live objects", async () => {
    const { storage } = openStorage();
    const parent = { runId: "p", incarnation: INCARNATION, seq: 1 };
    const run = newRun("r", { parent, attributes: { a: 1 } });
    const posted = message("r", "m");
    const answers: unknown[] = [run, await storage.createRuns([run]), posted, await storage.deliver([posted])];
    const task = await claimOne(storage);
    const { claim } = structuredClone(task);
    answers.push(task, await storage.renewLeases([claim], 5_000));
    const turn = workflowCommit(structuredClone(claim), {
      events: [event()],
      run: { attributes: { b: 2 } },
      next: { do: "hold" },
    });
    answers.push(await commit(storage, turn), turn);
    const entry = { key: "k", value: "v", expiresAt: null, mode: "first", owner: structuredClone(claim) } as const;
    answers.push(await storage.writeCache([entry]), await everything(storage), entry);
    const before = structuredClone(await everything(storage));
    scribble(answers);
    expect(await everything(storage)).toEqual(before);
    expect(await storage.renewLeases([claim], 5_000)).toMatchObject([
      { status: "held", messages: [{ no: 1, data: '"m"' }] },
    ]);
  });

  it("isolates namespaces, and shares one between the clients of a store (I21)", async () => {
    const store = createMemoryStore();
    const [a, again, b] = [memory({ store }), memory({ store }), memory({ store, namespace: "b" })];
    await startAndClaim(a, "r");
    await a.writeCache([{ key: "k", value: "v", expiresAt: null, mode: "first" }]);
    expect(await again.getRun("r")).toMatchObject({ runId: "r" });
    expect(await again.claimTasks(claimRequest())).toMatchObject({ tasks: [] });
    expect(await b.getRun("r")).toBeUndefined();
    expect(await b.readCache(["k"])).toEqual([undefined]);
    expect(await b.deliver([message("r", "m")])).toEqual([{ status: "unknown" }]);
    expect(await b.createRuns([newRun("r", { startHash: "another" })])).toMatchObject([{ status: "created" }]);
    expect(await memory().getRun("r")).toBeUndefined();
  });

  it("refuses every verb after close, and closes twice", async () => {
    const store = createMemoryStore();
    const storage = memory({ store });
    await storage.setup();
    await storage.close();
    await storage.close();
    const calls: Promise<unknown>[] = [
      storage.setup(),
      storage.now(),
      storage.createRuns([]),
      storage.getRun("r"),
      storage.listRuns(runQuery()),
      storage.readEvents([]),
      storage.claimTasks(claimRequest()),
      storage.renewLeases([], 1_000),
      storage.commitTasks([]),
      storage.unblockTasks([]),
      storage.deliver([]),
      storage.readCache([]),
      storage.writeCache([]),
      storage.stats(),
      storage.purgeRuns({ closedBefore: 0, limit: 1 }),
      storage.subscribe!(() => {}),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "misconfigured" });
    expect(await memory({ store }).getRun("r")).toBeUndefined();
  });
});
