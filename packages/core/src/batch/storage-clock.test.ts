import { describe, expect, it } from "vitest";
import { StorageClock } from "./storage-clock.ts";

describe("StorageClock", () => {
  it("stays between what the storage's clock can be at least and at most (I24)", () => {
    let local = 100;
    const clock = new StorageClock(() => local);
    // Sent at 100, answered at 130: the storage read its clock somewhere in between.
    local = 130;
    clock.learn(5_000, 100);
    expect(clock.earliest()).toBe(5_000);
    expect(clock.latest()).toBe(5_030);
    local = 230;
    expect(clock.earliest()).toBe(5_100);
    expect(clock.latest()).toBe(5_130);
  });

  it("is never ahead at the earliest, whatever slow answers come later", () => {
    let local = 0;
    const clock = new StorageClock(() => local);
    clock.learn(1_000, 0);
    local = 500;
    // Answered late: read at 1_100, when the local clock said 100.
    clock.learn(1_100, 90);
    expect(clock.earliest()).toBe(1_100);
    expect(clock.latest()).toBeGreaterThanOrEqual(1_500);
    clock.learn(1_500, 499);
    expect(clock.earliest()).toBe(1_500);
  });

  it("is never ahead of a storage whose clock runs slower (I10)", () => {
    let local = 0;
    const clock = new StorageClock(() => local);
    for (; local < 1_000; local += 100) clock.learn(5_000 + local * 0.9, local);
    expect(clock.earliest()).toBeLessThanOrEqual(5_000 + 900 * 0.9 + 100);
    clock.learn(5_900, local);
    expect(clock.earliest()).toBe(5_900);
  });

  it("follows a storage that has moved on", () => {
    let local = 0;
    const clock = new StorageClock(() => local);
    clock.learn(1_000, 0);
    local = 10;
    clock.learn(3_601_010, 5);
    expect(clock.earliest()).toBe(3_601_010);
    expect(clock.latest()).toBe(3_601_015);
  });

  it("knows nothing before the first answer", () => {
    const clock = new StorageClock(() => 5);
    expect(clock.known).toBe(false);
    clock.learn(1, 0);
    expect(clock.known).toBe(true);
  });
});
