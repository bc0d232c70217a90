import { describe, expect, it } from "vitest";
import type { Schema, SchemaResult } from "../model/schema.ts";
import { validateWith } from "./validate.ts";

function schema<Output>(validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>) {
  return { "~standard": { version: 1, vendor: "test", validate } } satisfies Schema<unknown, Output>;
}

const refusing = schema(() => ({
  issues: [{ message: "must be a number", path: ["items", { key: 3 }, "price"] }, { message: "is empty" }],
}));

const invalid = expect.objectContaining({
  code: "invalid-input",
  message:
    'The input of workflow "order" is invalid: $.items[3].price: must be a number; $: is empty. Correct the value or the schema.',
  details: {
    issues: [
      { path: "$.items[3].price", message: "must be a number" },
      { path: "$", message: "is empty" },
    ],
  },
});

describe("validateWith", () => {
  const what = 'input of workflow "order"';

  it("answers what the schema made of the value, at once if the schema does", () => {
    expect(
      validateWith(
        schema((value) => ({ value: Number(value) })),
        "42",
        what,
      ),
    ).toBe(42);
    expect(
      validateWith(
        schema(() => ({ value: undefined })),
        "42",
        what,
      ),
    ).toBeUndefined();
  });

  it("answers a promise if the schema does", async () => {
    const answer = validateWith(
      schema(async (value) => ({ value: Number(value) })),
      "42",
      what,
    );
    expect(answer).toBeInstanceOf(Promise);
    await expect(answer).resolves.toBe(42);
  });

  it("throws the issues with their paths", () => {
    expect(() => validateWith(refusing, {}, what)).toThrow(invalid);
  });

  it("rejects with the issues when the schema is asynchronous", async () => {
    const later = schema(async (value) => refusing["~standard"].validate(value));
    await expect(validateWith(later, {}, what)).rejects.toEqual(invalid);
  });

  it("lists five issues in the message and all in the details", () => {
    const many = schema(() => ({ issues: Array.from({ length: 8 }, (_, i) => ({ message: `m${i}` })) }));
    expect(() => validateWith(many, {}, what)).toThrow(/m4; and 3 more\./);
    expect(() => validateWith(many, {}, what)).toThrow(
      expect.objectContaining({ details: { issues: expect.objectContaining({ length: 8 }) } }),
    );
  });

  it("gives a schema that throws, or rejects, the same code", async () => {
    const cause = new Error("bug");
    const thrown = expect.objectContaining({ code: "invalid-input", cause });
    const throwing = schema(() => {
      throw cause;
    });
    expect(() => validateWith(throwing, {}, what)).toThrow(thrown);
    await expect(
      validateWith(
        schema(() => Promise.reject(cause)),
        {},
        what,
      ),
    ).rejects.toEqual(thrown);
  });
});
