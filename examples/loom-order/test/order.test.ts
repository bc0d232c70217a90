import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toMermaid } from "@perdure/core";
import { createTestEnvironment, type TestEnvironment } from "@perdure/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readLedger } from "../src/ledger.ts";
import { order } from "../src/order.ts";

// With cacheRuns 0 every turn begins from nothing but the history, as after a crash.
describe.each([1_000, 0])("order, with %i runs in memory", (cacheRuns) => {
  let env: TestEnvironment;
  let folder: string;
  let ledger: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "perdure-order-test-"));
    ledger = process.env["ORDER_LEDGER"] = join(folder, "ledger.jsonl");
    writeFileSync(ledger, "");
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    env = createTestEnvironment({ workflows: [order], logger, cacheRuns });
  });
  afterEach(async () => {
    await env.close();
    delete process.env["ORDER_LEDGER"];
    rmSync(folder, { recursive: true });
  });

  const executed = (): readonly string[] => readLedger(ledger).map(({ activity }) => activity);
  const items = [
    { sku: "tea", quantity: 2 },
    { sku: "cup", quantity: 1 },
  ];
  const basket = { customer: "ada@perdure.example", items };

  it("leaves half an hour for second thoughts, with its state to be read meanwhile", async () => {
    const run = await env.client.start(order, basket);
    await env.skip("29m");
    expect(await run.state()).toEqual({
      status: "paid",
      cents: 3_750,
      receipt: "37.50 EUR from ada@perdure.example",
      tracking: null,
    });
    expect(await run.describe()).toMatchObject({ status: "suspended", currentStep: "second-thoughts" });
    expect(executed()).not.toContain("pack");

    await env.skip("2m");
    expect(await run.result()).toEqual({
      receipt: "37.50 EUR from ada@perdure.example",
      tracking: "600 g to ada@perdure.example",
    });
    expect(executed().toSorted()).toEqual(
      ["reserve", "reserve", "charge", "charge", "pack", "send-mail", "book-courier"].toSorted(),
    );
  });

  it("takes its steps one after the other, and its history says so", async () => {
    const run = await env.client.start(order, basket);
    await env.skip("1h");
    const history = await run.history();
    const steps = history.flatMap((event) =>
      event.type === "STEP_STARTED" || event.type === "STEP_COMPLETED" ? [`${event.type} ${event.data.step}`] : [],
    );
    const names = ["reserve", "pay", "second-thoughts", "ship"];
    expect(steps).toEqual(names.flatMap((name) => [`STEP_STARTED ${name}`, `STEP_COMPLETED ${name}`]));
    expect(order.graph().nodes.flatMap(({ kind, name }) => (kind === "step" ? [name] : []))).toEqual(names);
  });

  it("releases what it has reserved when the card is declined, and fails with the reason", async () => {
    const run = await env.client.start(order, { ...basket, customer: "mallory@perdure.example" });
    await env.skip("1m");
    await expect(run.result()).rejects.toMatchObject({
      failure: {
        code: "activity-failed",
        details: { activity: "charge", attempts: 2 },
        cause: { name: "NonRetryableError", message: "the card is stolen" },
      },
    });
    expect(await run.state()).toMatchObject({ status: "declined", receipt: null });
    expect(executed()).toEqual(["reserve", "reserve", "charge", "charge", "release", "release"]);
  });

  it("gives the money back when it is cancelled asleep (I17)", async () => {
    const run = await env.client.start(order, basket);
    await env.skip("10m");
    await run.cancel({ reason: "changed her mind" });
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({ code: "run-cancelled", reason: "changed her mind" });
    expect(await run.state()).toMatchObject({ status: "withdrawn" });
    expect(executed().slice(-3)).toEqual(["refund", "release", "release"]);
  });
});

describe("order's graph", () => {
  it("is drawn from its definition", () => {
    expect(toMermaid(order.graph())).toBe(`flowchart TD
  n0(["start"])
  n1["reserve"]
  n2["pay"]
  n3["second-thoughts"]
  n4["ship"]
  n5(["end"])
  n0 --> n1
  n1 --> n2
  n2 --> n3
  n3 --> n4
  n4 --> n5
`);
  });
});
