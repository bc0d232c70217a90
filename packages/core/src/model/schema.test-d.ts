import { expectTypeOf, it } from "vitest";
import type { InferInput, InferOutput, Schema } from "./schema.ts";

interface Coercing extends Schema<string, number> {
  readonly parse: (value: string) => number;
}

it("tells input from output", () => {
  expectTypeOf<InferInput<Coercing>>().toEqualTypeOf<string>();
  expectTypeOf<InferOutput<Coercing>>().toEqualTypeOf<number>();
});

it("accepts any schema where the types do not matter", () => {
  expectTypeOf<Coercing>().toExtend<Schema>();
});
