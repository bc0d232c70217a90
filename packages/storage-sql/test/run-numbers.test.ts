import { expect, test } from "vitest";
import { RunNumbers } from "../src/run-numbers.ts";

test("knows the newest number of an id, and forgets the oldest when there are too many", () => {
  const numbers = new RunNumbers(2);
  const first = numbers.add(1, "a", "one");
  expect(first.taskId).toBe("one:a");
  expect(numbers.add(1, "a", "one")).toBe(first);
  numbers.add(2, "a", "two");
  expect(numbers.get("a")).toMatchObject({ no: 2, incarnation: "two" });
  expect(numbers.byNo(1)).toBeUndefined();
  numbers.add(3, "b", "three");
  numbers.add(4, "c", "four");
  expect(numbers.get("a")).toBeUndefined();
  expect(numbers.byNo(2)).toBeUndefined();
  expect(numbers.byNo(4)).toMatchObject({ runId: "c" });
  numbers.clear();
  expect(numbers.get("c")).toBeUndefined();
});
