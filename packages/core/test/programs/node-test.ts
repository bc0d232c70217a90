/** A test file as users of node:test write it: run by `node --test` in a process of its own. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { activity, workflow } from "@perdure/core";
import { createTestEnvironment, everyCrash, expectHistory, type TestEnvironment } from "@perdure/core/testing";

const charge = activity({ name: "charge" }, async (orderId: string) => `receipt of ${orderId}`);
const order = workflow({ name: "order" }, async (ctx, orderId: string) => {
  await ctx.sleep("3d");
  return ctx.run(charge, orderId);
});

void describe("order", { concurrency: true }, () => {
  let env: TestEnvironment;
  afterEach(() => env.close());

  void it("takes three days and a crash", async () => {
    env = createTestEnvironment({ workflows: [order] });
    const charged = env.mock(charge, async (orderId) => `mocked ${orderId}`);
    const crash = env.crashAfter(charge);
    const run = await env.client.start(order, "o-1");
    assert.equal(await env.result(run), "mocked o-1");
    assert.ok(crash.happened);
    assert.deepEqual(
      charged.calls.map(({ input }) => input),
      ["o-1", "o-1"],
    );
    expectHistory(await env.history(run))
      .slept("3d")
      .ran(charge, { times: 1 })
      .ended("completed");
  });
});

void it("holds wherever its worker crashes", async () => {
  const crashes = await everyCrash({ workflows: [order] }, async (env) => {
    assert.equal(await env.result(await env.client.start(order, "o-2")), "receipt of o-2");
  });
  assert.ok(crashes >= 6);
});

void it("shows what differs", async () => {
  const env = createTestEnvironment({ workflows: [order] });
  const run = await env.client.start(order, "o-3");
  await env.result(run);
  if (process.env["SHOW_FAILURE"] === "yes") expectHistory(await env.history(run)).ran(charge, { input: "o-4" });
  await env.close();
});
