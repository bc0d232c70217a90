import { describe, expect, it } from "vitest";
import { Semaphore } from "./semaphore.ts";

describe("Semaphore", () => {
  it("gives out so many slots, and calls those who found none when one is free, once", () => {
    const slots = new Semaphore(2);
    const called: string[] = [];
    const first = (): void => void called.push("first");
    expect(slots.take(first)).toBe(true);
    expect(slots.take(first)).toBe(true);
    expect(slots.take(first)).toBe(false);
    expect(slots.take(first)).toBe(false);
    expect(slots.take(() => void called.push("second"))).toBe(false);
    slots.release();
    expect(called).toEqual(["first", "second"]);
    slots.release();
    expect(called).toEqual(["first", "second"]);
  });

  it("those who are called may take at once", () => {
    const slots = new Semaphore(1);
    const got: string[] = [];
    const ask = (name: string) => (): void => {
      if (slots.take(ask(name))) got.push(name);
    };
    slots.take(() => {});
    ask("a")();
    ask("b")();
    slots.release();
    expect(got).toEqual(["a"]);
    slots.release();
    expect(got).toEqual(["a", "b"]);
  });
});
