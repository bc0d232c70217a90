import { expectTypeOf, it } from "vitest";
import {
  type ActivityFailedError,
  type ErrorCode,
  isPerdureError,
  type PerdureError,
  type RunFailedError,
  type StorageError,
  type UsageError,
} from "./index.ts";

declare const caught: unknown;

it("narrows to the class that has the code", () => {
  if (isPerdureError(caught)) expectTypeOf(caught).toEqualTypeOf<PerdureError>();
  if (isPerdureError(caught, "activity-failed")) expectTypeOf(caught).toExtend<ActivityFailedError>();
  if (isPerdureError(caught, "run-failed")) expectTypeOf(caught).toExtend<RunFailedError>();
  if (isPerdureError(caught, "corrupt")) expectTypeOf(caught).toExtend<StorageError>();
  if (isPerdureError(caught, "run-exists")) {
    expectTypeOf(caught).toExtend<UsageError>();
    expectTypeOf(caught.code).toEqualTypeOf<"run-exists">();
  }
});

it("knows the codes", () => {
  expectTypeOf<"run-exists">().toExtend<ErrorCode>();
  expectTypeOf<"no-such-code">().not.toExtend<ErrorCode>();
});
