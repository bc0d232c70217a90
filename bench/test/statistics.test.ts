import { describe, expect, it } from "vitest";
import { Samples } from "../src/report/samples.ts";
import { median, percentile } from "../src/report/statistics.ts";

describe("statistics", () => {
  it("find the value in the middle, without minding the order", () => {
    expect(median([30, 10, 20])).toBe(20);
    expect(median([40, 10, 20, 30])).toBe(25);
    expect(median([7])).toBe(7);
  });

  it("find the value that so many percent do not exceed", () => {
    const values = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(percentile(values, 50)).toBe(50);
    expect(percentile(values, 99)).toBe(99);
    expect(percentile([3, 1, 2], 99)).toBe(3);
    expect(percentile([5], 50)).toBe(5);
  });

  it("make one row of all repeats of a figure, and another for other settings", () => {
    const samples = new Samples();
    for (const value of [3, 1, 2]) samples.add("memory", "W1", "ratio", value, { concurrency: 32 });
    samples.add("memory", "W1", "ratio", 9, { concurrency: 100 });
    expect(samples.rows()).toEqual([
      { ...row, median: 2, min: 1, max: 3, n: 3, settings: { concurrency: 32 } },
      { ...row, median: 9, min: 9, max: 9, n: 1, settings: { concurrency: 100 } },
    ]);
  });

  it("refuse what is no number", () => {
    expect(() => new Samples().add("memory", "W1", "ratio", Number.NaN, {})).toThrow(
      "W1 on memory measured NaN as ratio.",
    );
  });
});

const row = { engine: "perdure", backend: "memory", workload: "W1", figure: "ratio", unit: "" };
