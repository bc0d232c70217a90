import { expectTypeOf, it } from "vitest";
import type { Duration } from "./duration.ts";
import type { Retry } from "./retry.ts";

it("takes durations in text with a known unit only", () => {
  expectTypeOf<"30s">().toExtend<Duration>();
  expectTypeOf<"1.5h">().toExtend<Duration>();
  expectTypeOf<250>().toExtend<Duration>();
  expectTypeOf<"30">().not.toExtend<Duration>();
  expectTypeOf<"30 seconds">().not.toExtend<Duration>();
});

it("takes every form of a retry policy", () => {
  expectTypeOf<5>().toExtend<Retry>();
  expectTypeOf<{ delay: "fixed" }>().toExtend<Retry>();
  expectTypeOf<{ delay: readonly ["1s", 500] }>().toExtend<Retry>();
  expectTypeOf<{ delay: { initial: "1s"; maximum: "1m" } }>().toExtend<Retry>();
  expectTypeOf<{ delay: "soon" }>().not.toExtend<Retry>();
});
