import { describe, expect, it } from "vitest";
import { maxDurationMs, parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.each<[unknown, number]>([
    [0, 0],
    [1_500, 1_500],
    [1.5, 2],
    [0.4, 0],
    ["0ms", 0],
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1.5h", 5_400_000],
    ["1d", 86_400_000],
    ["2w", 1_209_600_000],
    [maxDurationMs, maxDurationMs],
    ["36525d", maxDurationMs],
  ])("reads %j as %d ms", (value, ms) => {
    expect(parseDuration(value)).toBe(ms);
  });

  it("reads negative zero as zero", () => {
    expect(Object.is(parseDuration(-0), 0)).toBe(true);
  });

  it.each<unknown>([
    Number.NaN,
    -1,
    Infinity,
    -Infinity,
    maxDurationMs + 1,
    "36526d",
    "9".repeat(400) + "s",
    "",
    "5",
    "s",
    "-5s",
    "5 s",
    " 5s",
    "5s\n",
    "5S",
    "5sec",
    "1e3s",
    "0x10s",
    ".5s",
    "5.s",
    "1m30s",
    null,
    undefined,
    true,
    5n,
    {},
    [5],
    new Date(5),
    { valueOf: () => 5 },
  ])("refuses %s", (value) => {
    expect(parseDuration(value)).toBeUndefined();
  });
});
