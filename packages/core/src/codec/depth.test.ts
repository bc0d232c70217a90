import { expect, it } from "vitest";
import { isDeeperThan } from "./depth.ts";

it.each([
  ["[[1]]", 1, true],
  ["[[1]]", 2, false],
  ['{"a":[{"b":1}]}', 2, true],
  ['{"a":[{"b":1}]}', 3, false],
  ["[[],[],[],[],[]]", 2, false],
  ['["[[[[[[", "]"]', 1, false],
  ['["\\"[[[[[["]', 1, false],
  ['["\\\\",[[1]]]', 2, true],
  ['["\\\\\\"[[[["]', 1, false],
  ['"unclosed [[[[[', 1, false],
])("%s is deeper than %d: %s", (text, limit, expected) => {
  expect(isDeeperThan(text, limit)).toBe(expected);
});
