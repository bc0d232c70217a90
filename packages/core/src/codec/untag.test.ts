import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonCodec } from "./json-codec.ts";

const decode = (text: string) => jsonCodec.decode(text);

function outcome(call: () => unknown): unknown {
  try {
    call();
    return "value";
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

describe("corrupt texts", () => {
  it.each([
    "",
    "{",
    "undefined",
    "NaN",
    "[1,]",
    '{"$":"Date"}',
    '{"$":"Date","v":"0"}',
    '{"$":"Date","v":1.5}',
    '{"$":"Date","v":8.65e15}',
    '{"$":"Date","v":0,"w":0}',
    '{"$":"Unknown","v":0}',
    '{"$":"constructor","v":0}',
    '{"$":"__proto__","v":0}',
    '{"$":1,"v":0}',
    '{"$":null}',
    '{"$":{"$":"Date","v":0}}',
    '{"$":"undefined","v":0}',
    '{"$":"BigInt","v":"0x1"}',
    '{"$":"BigInt","v":"-0"}',
    '{"$":"BigInt","v":1}',
    '{"$":"Number","v":"1"}',
    '{"$":"Number","v":1}',
    '{"$":"Map","v":[["a"]]}',
    '{"$":"Map","v":{}}',
    '{"$":"Set","v":"abc"}',
    '{"$":"Uint8Array","v":"A"}',
    '{"$":"Uint8Array","v":"AQL_"}',
    '{"$":"Uint8Array","v":[1]}',
    '{"$":"URL","v":"no url"}',
    '{"$":"URL","v":5}',
    '{"$":"Error","v":"x"}',
    '{"$":"Error","v":{"name":"x"}}',
    '{"$":"Object","v":{"a":1}}',
    '{"$":"Object","v":[1]}',
    '{"$":"Object","v":1}',
    '[{"deep":{"$":"Unknown","v":0}}]',
  ])("%s", (text) => {
    expect(() => decode(text)).toThrow(expect.objectContaining({ name: "StorageError", code: "corrupt" }));
  });

  it.each<unknown>([undefined, null, 5, {}])("%s, which is no text", (text) => {
    expect(() => decode(text as string)).toThrow(expect.objectContaining({ code: "corrupt" }));
  });

  it("are not quoted in the error", () => {
    expect(() => decode('{"password":"hunter2"')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hunter2") }),
    );
  });

  it("of any kind give a typed error or a value", () => {
    const noise = fc.array(
      fc.constantFrom("{", "}", "[", "]", '"$"', ":", ",", '"v"', '"Map"', '"Error"', "0", '"\\', "null"),
    );
    fc.assert(
      fc.property(noise, (parts) => {
        expect(outcome(() => decode(parts.join("")))).toMatch(/^(?:value|corrupt)$/);
      }),
      { numRuns: 2_000 },
    );
  });
});
