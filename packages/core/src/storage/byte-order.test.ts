import fc from "fast-check";
import { expect, it } from "vitest";
import { compareBytes } from "./byte-order.ts";

it("orders texts as their UTF-8 bytes", () => {
  const text = fc.string({ unit: "binary", maxLength: 4 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  expect(["\u{1F600}", "\uFF5E", "b", "A"].toSorted(compareBytes)).toEqual(["A", "b", "\uFF5E", "\u{1F600}"]);
});
