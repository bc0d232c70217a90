import { describe, expect, it } from "vitest";
import { jsonCodec } from "./json-codec.ts";

const own = (array: unknown[]): unknown[] => Object.assign(array, { toJSON: () => "called" });
const hidden = (array: unknown[]): unknown[] => Object.defineProperty(array, "toJSON", { value: () => "called" });

describe.each([
  ["its own", own],
  ["a hidden", hidden],
])("an array with %s toJSON", (_, give) => {
  it("is encoded by its elements, wherever it stands", () => {
    const roundTrip = (value: unknown): unknown => jsonCodec.decode(jsonCodec.encode(value));
    expect(roundTrip(give([1, 2]))).toEqual([1, 2]);
    expect(roundTrip({ list: give([new Date(5), give([undefined, 3n])]) })).toEqual({
      list: [new Date(5), [undefined, 3n]],
    });
    expect(jsonCodec.encode(give([1, 2]))).toBe(jsonCodec.encode([1, 2]));
  });
});
