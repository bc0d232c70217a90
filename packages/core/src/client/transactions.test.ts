import { describe, expect, it } from "vitest";
import { gate, intercepted, unavailable } from "../../test/intercepted.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory, type MemoryStorage } from "../memory.ts";
import type { StorageBackend, TransactionalVerb } from "../storage.ts";
import { createClient } from "./client.ts";

const order = workflow({ name: "order" }, async (_, id: string) => id);
const paid = signal<number>("paid");

function declaring(storage: StorageBackend, ...transactions: readonly TransactionalVerb[]): StorageBackend {
  const { info } = storage;
  return intercepted(storage, {}, { ...info, capabilities: { ...info.capabilities, transactions } });
}

async function unread(storage: StorageBackend, runId: string): Promise<number | undefined> {
  return (await storage.getRun(runId))?.task?.unread;
}

async function rolledBack(storage: MemoryStorage, work: (tx: unknown) => Promise<unknown>): Promise<void> {
  const refused = storage.transaction(async (tx) => {
    await work(tx);
    throw new Error("no stock");
  });
  await expect(refused).rejects.toThrow("no stock");
}

describe("a start in a transaction of the caller's", () => {
  it("is there when the transaction commits, and not before", async () => {
    const storage = memory();
    const client = createClient({ storage });
    const run = await storage.transaction(async (tx) => {
      const handle = await client.start(order, "o-1", { id: "o-1", attributes: { a: 1 }, tx });
      await expect(handle.status()).rejects.toMatchObject({ code: "run-not-found" });
      return handle;
    });
    expect(await run.describe()).toMatchObject({ runId: "o-1", status: "pending", attributes: { a: 1 } });
    expect((await storage.getRun("o-1"))!.incarnation).toBe(run.incarnation);
  });

  it("never was when the transaction is rolled back", async () => {
    const storage = memory();
    const client = createClient({ storage });
    await rolledBack(storage, (tx) => client.start(order, "o-1", { id: "o-1", tx }));
    await expect(client.handle("o-1").status()).rejects.toMatchObject({ code: "run-not-found" });
    expect((await client.start(order, "o-1", { id: "o-1" })).runId).toBe("o-1");
  });

  it("answers the run that is there, or that there is another", async () => {
    const storage = memory();
    const client = createClient({ storage });
    const { incarnation } = await client.start(order, "o-1", { id: "o-1" });
    await storage.transaction(async (tx) => {
      expect(await client.start(order, "o-1", { id: "o-1", tx })).toMatchObject({ incarnation });
      const other = client.start(order, "other input", { id: "o-1", tx });
      await expect(other).rejects.toMatchObject({ code: "run-exists", details: { runId: "o-1" } });
    });
  });

  it("waits for nobody else's start, and is not gathered with them", async () => {
    const inner = memory();
    const [sent, first] = [gate(), gate()];
    const calls: [count: number, tx: unknown][] = [];
    const storage = intercepted(inner, {
      createRuns: async (call, [runs, options]) => {
        calls.push([runs.length, options?.tx]);
        sent.open();
        if (options?.tx === undefined) await first.passed;
        return call();
      },
    });
    const client = createClient({ storage });
    const slow = client.start(order, "slow");
    await sent.passed;
    await inner.transaction(async (tx) => {
      await client.start(order, "o-1", { id: "o-1", tx });
      expect(calls).toEqual([
        [1, undefined],
        [1, tx],
      ]);
    });
    expect(await inner.getRun("o-1")).toBeDefined();
    first.open();
    await slow;
  });

  it("is not repeated: the error is thrown as it is", async () => {
    const inner = memory();
    const errors = [unavailable(), new Error("current transaction is aborted")];
    let calls = 0;
    const fail = async (): Promise<never> => {
      throw errors[calls++ % 2];
    };
    const client = createClient({ storage: intercepted(inner, { createRuns: fail, deliver: fail }) });
    await inner.transaction(async (tx) => {
      for (const error of errors) await expect(client.start(order, "o-1", { tx })).rejects.toBe(error);
      for (const error of errors) await expect(client.handle("r").signal(paid, 1, { tx })).rejects.toBe(error);
      for (const error of errors) {
        const many = client.startMany([{ definition: order, input: "o-1" }], { tx });
        await expect(many).rejects.toBe(error);
      }
    });
    expect(calls).toBe(6);
  });

  it("is refused before anything else where the storage cannot join one", async () => {
    const storage = declaring(memory(), "deliver");
    const client = createClient({ storage });
    const unsupported = { code: "unsupported", details: { storage: "memory", verb: "createRuns" } };
    const hopeless = (() => {}) as never;
    await expect(client.start(order, hopeless, { tx: {} })).rejects.toMatchObject(unsupported);
    await expect(client.startMany([{ definition: order, input: hopeless }], { tx: {} })).rejects.toMatchObject(
      unsupported,
    );
    expect((await client.list()).runs).toEqual([]);
  });

  it("is refused by the storage when it is no transaction of its", async () => {
    const client = createClient({ storage: memory() });
    for (const tx of [{}, null, "tx"]) {
      await expect(client.start(order, "o-1", { tx })).rejects.toMatchObject({ code: "invalid-argument" });
    }
    expect((await client.list()).runs).toEqual([]);
    await client.start(order, "o-1", { tx: undefined });
    expect((await client.list()).runs).toHaveLength(1);
  });
});

describe("many starts in a transaction", () => {
  const starts = ["o-1", "o-2", "o-3"].map((id) => ({ definition: order, input: id, options: { id } }));

  it("are made in it, all or none, in as few calls as the storage allows", async () => {
    const inner = memory();
    const { info } = inner;
    const sizes: number[] = [];
    const storage = intercepted(
      inner,
      { createRuns: (call, [runs]) => (sizes.push(runs.length), call()) },
      { ...info, limits: { ...info.limits, batch: 2 } },
    );
    const client = createClient({ storage });
    await rolledBack(inner, (tx) => client.startMany(starts, { tx }));
    expect((await client.list()).runs).toEqual([]);
    const runs = await inner.transaction((tx) => client.startMany(starts, { tx }));
    expect(runs.map(({ runId }) => runId)).toEqual(["o-1", "o-2", "o-3"]);
    expect(sizes).toEqual([2, 1, 2, 1]);
    expect(await runs[2]!.status()).toBe("pending");
  });

  it("write nothing when one of them is malformed", async () => {
    const storage = memory();
    const client = createClient({ storage });
    const bad = [...starts, { definition: order, input: (() => {}) as never }];
    await storage.transaction(async (tx) => {
      await expect(client.startMany(bad, { tx })).rejects.toMatchObject({ code: "not-serializable" });
    });
    expect((await client.list()).runs).toEqual([]);
  });

  it("have one for all: a start has none of its own", async () => {
    const storage = memory();
    const client = createClient({ storage });
    await storage.transaction(async (tx) => {
      const mixed = [starts[0]!, { definition: order, input: "o-2", options: { tx } as never }];
      for (const options of [{}, { tx }]) {
        await expect(client.startMany(mixed, options)).rejects.toMatchObject({
          code: "invalid-argument",
          message: expect.stringContaining("startMany(starts, { tx })") as string,
        });
      }
    });
    expect((await client.list()).runs).toEqual([]);
  });
});

describe("a signal in a transaction of the caller's", () => {
  it("arrives when the transaction commits, and never if it is rolled back", async () => {
    const storage = memory();
    const client = createClient({ storage });
    const run = await client.start(order, "o-1");
    await rolledBack(storage, (tx) => run.signal(paid, 1, { id: "s", tx }));
    expect(await unread(storage, run.runId)).toBe(0);
    await storage.transaction(async (tx) => {
      await run.signal(paid, 1, { id: "s", tx });
      await run.signal(paid, 1, { id: "s", tx });
      expect(await unread(storage, run.runId)).toBe(0);
    });
    expect(await unread(storage, run.runId)).toBe(1);
  });

  it("reaches a run that is started in the same transaction, and no other before the commit", async () => {
    const storage = memory();
    const client = createClient({ storage });
    const run = await storage.transaction(async (tx) => {
      const started = await client.start(order, "o-1", { tx });
      await started.signal(paid, 1, { tx });
      await expect(started.signal(paid, 2)).rejects.toMatchObject({ code: "run-not-found" });
      await expect(client.handle("nobody").signal(paid, 1, { tx })).rejects.toMatchObject({ code: "run-not-found" });
      return started;
    });
    expect(await unread(storage, run.runId)).toBe(1);
  });

  it("is refused where the storage cannot join one", async () => {
    const client = createClient({ storage: declaring(memory(), "createRuns") });
    const run = await client.start(order, "o-1");
    const unsupported = { code: "unsupported", details: { verb: "deliver" } };
    await expect(run.signal(paid, 1, { tx: {} })).rejects.toMatchObject(unsupported);
    const both = client.signalWithStart(order, "o-2", paid, 1, { id: "o-2", tx: {} });
    await expect(both).rejects.toMatchObject(unsupported);
    expect((await client.list()).runs).toHaveLength(1);
  });

  it("and a start are one with signalWithStart", async () => {
    const storage = memory();
    const client = createClient({ storage });
    await rolledBack(storage, (tx) => client.signalWithStart(order, "o-1", paid, 1, { id: "o-1", tx }));
    expect((await client.list()).runs).toEqual([]);
    for (let time = 0; time < 2; time++) {
      await storage.transaction((tx) => {
        return client.signalWithStart(order, "o-1", paid, 1, { id: "o-1", signalId: "s", tx });
      });
    }
    expect(await unread(storage, "o-1")).toBe(1);
  });
});
