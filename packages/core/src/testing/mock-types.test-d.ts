import { describe, expectTypeOf, it } from "vitest";
import { activity } from "../define/activity.ts";
import type { Schema } from "../model/schema.ts";
import { createTestEnvironment, type MockCall } from "../testing.ts";

declare function schema<Input, Output = Input>(): Schema<Input, Output>;

describe("the types of a mock", () => {
  const env = createTestEnvironment({ workflows: [] });
  const charge = activity({ name: "charge" }, async (order: { id: string }) => ({ receipt: order.id }));
  const ship = activity(
    { name: "ship", input: schema<{ weight: string }, { weight: number }>(), output: schema<string>() },
    async ({ weight }) => `${weight} g`,
  );

  it("are the activity's", () => {
    const charged = env.mock(charge, (order, { attempt }) => {
      expectTypeOf(order).toEqualTypeOf<{ id: string }>();
      expectTypeOf(attempt).toEqualTypeOf<number>();
      return { receipt: "r" };
    });
    expectTypeOf(charged.calls).toEqualTypeOf<readonly MockCall<{ id: string }, { receipt: string }>[]>();
  });

  it("tell what callers give from what the code gets", () => {
    const shipped = env.mock(ship, async ({ weight }) => {
      expectTypeOf(weight).toEqualTypeOf<number>();
      return "shipped";
    });
    expectTypeOf(shipped.calls[0]!.input).toEqualTypeOf<{ weight: number }>();
  });

  it("refuse what the activity would not return", () => {
    // @ts-expect-error -- not the activity's output
    env.mock(charge, async () => ({ ticket: "r" }));
    // @ts-expect-error -- not the activity's input
    env.mock(charge, async (order: { id: number }) => ({ receipt: String(order.id) }));
  });

  it("are open for what is known by name only", () => {
    const noted = env.mock("note", (input) => [input]);
    expectTypeOf(noted.calls[0]!.input).toEqualTypeOf<unknown>();
  });
});
