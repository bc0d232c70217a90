import { isPerdureError } from "@perdure/core";
import { createTestEnvironment, type TestEnvironment } from "@perdure/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { approved, order, shipment } from "../src/order.ts";

let env: TestEnvironment;
beforeEach(() => {
  env = createTestEnvironment({ workflows: [order, shipment] });
});
afterEach(() => env.close());

describe("order", () => {
  it("waits an hour for its approval, and no longer", async () => {
    const run = await env.client.start(order, { items: 1, cents: 700 }, { id: "o-1" });
    await env.skip("59m");
    expect((await run.describe()).waitingFor).toMatchObject([{ what: "signal", name: "approved" }]);
    await env.skip("2m");
    expect(await run.status()).toBe("failed");
    await expect(run.result()).rejects.toMatchObject({ code: "run-failed", failure: { code: "timed-out" } });
  });

  it("is not charged when the warehouse has too few", async () => {
    const run = await env.client.start(order, { items: 5_000, cents: 700 });
    await env.runUntilIdle();
    const error: unknown = await run.result().catch((reason: unknown) => reason);
    expect(isPerdureError(error, "run-failed") && error.failure).toMatchObject({
      code: "activity-failed",
      details: { attempts: 1 },
    });
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "WORKFLOW_STARTED",
      "ACTIVITY_FAILED",
      "WORKFLOW_FAILED",
    ]);
  });

  it("takes its shipment along when it is cancelled", async () => {
    const run = await env.client.start(order, { items: 1, cents: 700 }, { id: "o-1" });
    await run.signal(approved, { by: "ada" });
    await env.skip("1s");
    await env.runUntilIdle(); // packing takes real time
    await run.cancel({ reason: "second thoughts" });
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "second thoughts" });
    expect(await env.client.handle("o-1-shipment").status()).toBe("cancelled");
  });
});
