import { memory } from "@perdure/core/memory";
import { expect, it } from "vitest";
import { Meter } from "../src/meter.ts";

it("a call of the storage that failed is not overlooked, though it is repeated", async () => {
  const storage = memory();
  storage.deliver = () => Promise.reject(new Error("locked"));
  const meter = new Meter(storage);
  await storage.now();
  meter.requireNoFailure();
  await expect(storage.deliver([])).rejects.toThrow("locked");
  expect(() => meter.requireNoFailure()).toThrow("1 calls of the storage failed: Error: locked");
});
