import { describe, expect, it } from "vitest";
import { gate, unavailable } from "../../test/intercepted.ts";
import { UsageError } from "../errors/index.ts";
import { virtualClock } from "../memory.ts";
import { virtualRuntime } from "../testing/virtual-runtime.ts";
import { Batcher, type Patience } from "./batcher.ts";

type Send = (items: readonly number[]) => Promise<readonly string[]>;

function batcher(
  send: Send,
  limit = 100,
  patience: Patience = "some",
): { readonly batcher: Batcher<number, string>; readonly advance: (ms: number) => Promise<void> } {
  const clock = virtualClock();
  const runtime = virtualRuntime(clock, "test");
  return {
    batcher: new Batcher(runtime, limit, patience, send),
    async advance(ms) {
      await runtime.calm();
      clock.advance(ms);
      await runtime.calm();
    },
  };
}

const answer = (items: readonly number[]): readonly string[] => items.map((item) => `r${item}`);

describe("Batcher", () => {
  it("sends what comes together together, and gives each its own answer", async () => {
    const batches: (readonly number[])[] = [];
    const { batcher: queue } = batcher(async (items) => {
      batches.push(items);
      return answer(items);
    });
    expect(await Promise.all([1, 2, 3].map((item) => queue.add(item)))).toEqual(["r1", "r2", "r3"]);
    expect(await queue.add(4)).toBe("r4");
    expect(batches).toEqual([[1, 2, 3], [4]]);
  });

  it("gathers the next batch while one is in flight, one at a time, within the limit", async () => {
    const first = gate();
    const batches: (readonly number[])[] = [];
    let inFlight = 0;
    const { batcher: queue } = batcher(async (items) => {
      expect(++inFlight).toBe(1);
      batches.push(items);
      if (batches.length === 1) await first.passed;
      inFlight--;
      return answer(items);
    }, 4);
    const one = queue.add(0);
    await new Promise((resolve) => void setImmediate(resolve));
    const others = Array.from({ length: 10 }, (_, at) => queue.add(at + 1));
    first.open();
    expect(await one).toBe("r0");
    expect(await Promise.all(others)).toEqual(Array.from({ length: 10 }, (_, at) => `r${at + 1}`));
    expect(batches).toEqual([[0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]);
  });

  it("repeats the identical call while the storage is unavailable", async () => {
    const calls: (readonly number[])[] = [];
    const { batcher: queue, advance } = batcher(async (items) => {
      calls.push(items);
      if (calls.length < 4) throw unavailable();
      return answer(items);
    });
    const results = Promise.all([1, 2].map((item) => queue.add(item)));
    for (const ms of [20, 50, 100]) await advance(ms);
    expect(await results).toEqual(["r1", "r2"]);
    expect(calls).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  it("gives up on a storage that stays unavailable after a few seconds, for all at once", async () => {
    const calls: (readonly number[])[] = [];
    const { batcher: queue, advance } = batcher(async (items) => {
      calls.push(items);
      throw unavailable();
    });
    const results = Promise.allSettled([1, 2, 3].map((item) => queue.add(item)));
    for (let second = 0; second < 8; second++) await advance(1_000);
    expect((await results).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(calls.length).toBeLessThanOrEqual(9);
    expect(calls.every((items) => items.length === 3)).toBe(true);
  });

  it("of endless patience waits until the storage is back", async () => {
    let isDown = true;
    let calls = 0;
    const send: Send = async (items) => {
      calls++;
      if (isDown) throw unavailable();
      return answer(items);
    };
    const { batcher: queue, advance } = batcher(send, 100, "endless");
    const result = queue.add(1);
    for (let second = 0; second < 60; second++) await advance(1_000);
    expect(calls).toBeLessThan(40);
    isDown = false;
    await advance(2_000);
    expect(await result).toBe("r1");
  });

  it("a malformed item does not disturb its neighbours", async () => {
    const { batcher: queue } = batcher(async (items) => {
      if (items.includes(2)) throw new UsageError("invalid-argument", "No twos.");
      return answer(items);
    });
    const results = await Promise.allSettled([1, 2, 3].map((item) => queue.add(item)));
    expect(results).toEqual([
      { status: "fulfilled", value: "r1" },
      { status: "rejected", reason: expect.objectContaining({ code: "invalid-argument" }) as unknown },
      { status: "fulfilled", value: "r3" },
    ]);
    expect(await queue.add(4)).toBe("r4");
  });
});
