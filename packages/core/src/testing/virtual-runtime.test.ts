import { describe, expect, it } from "vitest";
import { virtualClock } from "../memory.ts";
import { type VirtualRuntime, virtualRuntime } from "./virtual-runtime.ts";

function setUp(seed = "test"): {
  readonly clock: ReturnType<typeof virtualClock>;
  readonly runtime: VirtualRuntime;
  readonly fired: string[];
} {
  const clock = virtualClock(1_000);
  return { clock, runtime: virtualRuntime(clock, seed), fired: [] };
}

describe("virtualRuntime", () => {
  it("fires timers in the order in which they are due, equals in the order of asking", () => {
    const { clock, runtime, fired } = setUp();
    for (const [name, ms] of [
      ["c", 30],
      ["a", 10],
      ["b1", 20],
      ["b2", 20],
      ["never", 99],
    ] as const) {
      runtime.after(ms, () => void fired.push(name));
    }
    clock.advance(9);
    expect(fired).toEqual([]);
    clock.advance(21);
    expect(fired).toEqual(["a", "b1", "b2", "c"]);
    expect(runtime.nextDueAt()).toBe(1_099);
  });

  it("fires what a timer asks for in the same move, if it is due by then", () => {
    const { clock, runtime, fired } = setUp();
    const tick = (): void => {
      fired.push(String(runtime.monotonic() - 1_000));
      runtime.after(10, tick);
    };
    runtime.after(10, tick);
    clock.set(1_010);
    clock.set(1_020);
    expect(fired).toEqual(["10", "20"]);
  });

  it("does not fire what was called off, before or by another timer", () => {
    const { clock, runtime, fired } = setUp();
    const cancel = runtime.after(10, () => void fired.push("cancelled"));
    cancel();
    cancel();
    const other = runtime.after(20, () => void fired.push("other"));
    runtime.after(15, other);
    expect(runtime.nextDueAt()).toBe(1_015);
    clock.advance(100);
    expect(fired).toEqual([]);
    expect(runtime.nextDueAt()).toBeNull();
  });

  it("fires what is due now without time passing", async () => {
    const { runtime, fired } = setUp();
    runtime.after(0, () => void fired.push("zero"));
    runtime.after(-5, () => void fired.push("negative"));
    expect(fired).toEqual([]);
    await runtime.calm();
    expect(fired).toEqual(["zero", "negative"]);
  });

  it("a poll fires when time passes it, but time does not stop for it", () => {
    const { clock, runtime, fired } = setUp();
    runtime.after(10, () => void fired.push("poll"), { poll: true });
    runtime.after(50, () => void fired.push("timer"));
    expect(runtime.nextDueAt()).toBe(1_050);
    clock.set(1_050);
    expect(fired).toEqual(["poll", "timer"]);
  });

  it("its monotonic clock never steps back, although the clock does", () => {
    const { clock, runtime } = setUp();
    clock.advance(500);
    clock.set(0);
    expect(runtime.monotonic()).toBe(1_500);
    clock.set(2_000);
    expect(runtime.monotonic()).toBe(2_000);
  });

  it("ids are 22 characters that differ, and the same for the same seed", () => {
    const draw = (seed: string): readonly unknown[] => {
      const { runtime } = setUp(seed);
      return [...Array.from({ length: 1_000 }, () => runtime.id()), runtime.random()];
    };
    const ids = draw("a").slice(0, -1);
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^[0-9A-Za-z_-]{22}$/u);
    expect(draw("a")).toEqual(draw("a"));
    expect(draw("a")).not.toEqual(draw("b"));
  });

  it("is calm when nothing stirs any more", async () => {
    const { runtime, fired } = setUp();
    const chain = (left: number): void => {
      if (left === 0) fired.push("done");
      else runtime.defer(() => chain(left - 1));
    };
    chain(20);
    await runtime.calm();
    expect(fired).toEqual(["done"]);
  });
});
