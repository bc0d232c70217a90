import { describe, expect, it } from "vitest";
import { lateness, type Nap } from "../src/lateness.ts";

const nap: Nap = { runId: "a", ms: 1000, sleptMs: 1012.5, dueAt: 5000, firedAt: 5012 };

describe("the lateness of a sleep", () => {
  it("is what it was longer than asked for", () => {
    expect(lateness(nap)).toBe(12.5);
    expect(lateness({ ...nap, sleptMs: 999.5, firedAt: 5000 })).toBe(0);
  });

  it("is none of a timer that fired early: that is an error, by the storage's clock and by the worker's (I10)", () => {
    expect(() => lateness({ ...nap, firedAt: 4999 })).toThrow('The timer of run "a" fired 1 ms before it was due.');
    expect(() => lateness({ ...nap, sleptMs: 998.9 })).toThrow('Run "a" slept 998.9 ms of 1000: it was woken early.');
  });
});
