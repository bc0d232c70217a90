import { describe, expect, it } from "vitest";
import { createMemoryStore, memory, virtualClock } from "../memory.ts";

describe("virtualClock", () => {
  it("tells its listeners every move, until they leave", () => {
    const clock = virtualClock(5);
    const seen: number[] = [];
    const leave = clock.onAdvance((now) => seen.push(now));
    clock.advance(10);
    clock.set(3);
    leave();
    clock.advance(1);
    expect(seen).toEqual([15, 3]);
    expect(clock.now()).toBe(4);
  });
});

describe("the clock of a store", () => {
  it("does not follow its source back, and goes on from there (I24)", async () => {
    const clock = virtualClock(1_000);
    const storage = memory({ clock });
    expect(await storage.now()).toBe(1_000);
    clock.set(400);
    expect(await storage.now()).toBe(1_000);
    clock.set(401);
    expect(await storage.now()).toBe(1_001);
    clock.set(3_000);
    expect(await storage.now()).toBe(3_600);
  });

  it("is one for all clients: a second client's clock does not count", async () => {
    const store = createMemoryStore();
    const first = memory({ store, clock: virtualClock(1_000) });
    const second = memory({ store, clock: virtualClock(600_000) });
    expect(await second.now()).toBe(1_000);
    expect(await first.now()).toBe(1_000);
  });

  it("gives whole milliseconds", async () => {
    expect(await memory({ clock: { now: () => 12.7 } }).now()).toBe(12);
  });
});
