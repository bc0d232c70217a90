import { memory } from "@perdure/core/memory";
import { expect, test } from "vitest";
import { MemoryLedger } from "../src/crash/ledger.ts";
import { watch } from "../src/crash/watch.ts";

test.each([
  ["throws", (): never => ended()],
  ["rejects", async (): Promise<never> => ended()],
])("a verb that %s stands in the ledger", async (_, verb) => {
  const ledger = new MemoryLedger();
  const client = watch({ ...memory(), getRun: verb }, ledger, "w1");
  await expect(client.getRun("r")).rejects.toThrow("ended");
  expect(ledger.entries).toEqual([
    { what: "failed", by: "w1", run: null, verb: "getRun", code: null, message: "Error: ended" },
  ]);
});

function ended(): never {
  throw new Error("ended");
}
