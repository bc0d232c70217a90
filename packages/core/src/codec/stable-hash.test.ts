import { expect, it } from "vitest";
import { stableHash } from "./stable-hash.ts";

it("never changes: start hashes are stored", () => {
  expect(stableHash("")).toBe("e3b0c44298fc1c149afbf4c8996fb924");
  expect(stableHash('{"a":1}')).toBe("015abd7f5cc57a2dd94b7590f04ad808");
  expect(stableHash("é")).not.toBe(stableHash("e"));
});
