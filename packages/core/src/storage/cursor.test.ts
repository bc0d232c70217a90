import { expect, it } from "vitest";
import { decodeCursor, encodeCursor } from "./cursor.ts";

it.each(["r", "a/b c:*%?#", "\u{1F600}".repeat(63), "ü "])("a cursor brings back its run: %s", (runId) => {
  expect(decodeCursor(encodeCursor({ createdAt: 1_767_225_600_000, runId }))).toEqual({
    createdAt: 1_767_225_600_000,
    runId,
  });
});

it.each(["", "x", "r1.1.", "r1.1.YQ=", "r1.01.YQ", "r1.1.YR", "r2.1.YQ", "r1.999999999999999.YQ", "r1.1._w"])(
  "refuses a cursor that is not ours: %s",
  (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  },
);
