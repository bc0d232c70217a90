import { expect, it } from "vitest";
import { formatPath } from "./path.ts";

it.each([
  [[], "$"],
  [["items", 3, "callback"], "$.items[3].callback"],
  [["a b", "", "0"], '$["a b"][""]["0"]'],
  [["$", "_x"], "$.$._x"],
  [[Symbol("tag")], "$[Symbol(tag)]"],
])("writes %j as %s", (keys, path) => {
  expect(formatPath(keys)).toBe(path);
});
