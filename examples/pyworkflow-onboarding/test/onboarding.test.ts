import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventOf, RunHandle } from "@perdure/core";
import { createTestEnvironment, type TestEnvironment } from "@perdure/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readLedger } from "../src/ledger.ts";
import { onboarding } from "../src/onboarding.ts";

let env: TestEnvironment;
let folder: string;
let ledger: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "perdure-onboarding-test-"));
  ledger = process.env["ONBOARDING_LEDGER"] = join(folder, "ledger.jsonl");
  writeFileSync(ledger, "");
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  env = createTestEnvironment({ workflows: [onboarding], logger });
});
afterEach(async () => {
  await env.close();
  delete process.env["ONBOARDING_LEDGER"];
  rmSync(folder, { recursive: true });
});

const ada = { email: "ada@perdure.example" };

/** The inputs of an activity's executions, oldest first. */
function executions(activity: string): readonly unknown[] {
  return readLedger(ledger).flatMap((execution) => (execution.activity === activity ? [execution.input] : []));
}

function mailsSent(): readonly unknown[] {
  return executions("send-mail").map((input) => (input as { template: string }).template);
}

async function retries(run: RunHandle): Promise<readonly EventOf<"ACTIVITY_RETRYING">[]> {
  return (await run.history()).filter((event) => event.type === "ACTIVITY_RETRYING");
}

describe("onboarding", () => {
  it("sends its tips after a day and its survey a week later, not earlier (I10)", async () => {
    const run = await env.client.start(onboarding, ada);
    await env.skip("2s");
    const begun = ["welcome", "welcome", "welcome"];
    expect(mailsSent()).toEqual(begun);
    expect(await run.describe()).toMatchObject({ status: "suspended", waitingFor: [{ what: "timer" }] });

    await env.skip("23h");
    expect(mailsSent()).toEqual(begun);
    await env.skip("1h");
    expect(mailsSent()).toEqual([...begun, "tips"]);

    await env.skip("6d");
    expect(mailsSent()).toEqual([...begun, "tips"]);
    await env.skip("1d");
    expect(mailsSent()).toEqual([...begun, "tips", "survey"]);
    expect(await run.result()).toEqual({
      account: "account-of-ada@perdure.example",
      workspace: "workspace-of-account-of-ada@perdure.example",
      contact: "contact-of-ada@perdure.example",
    });
  });

  it("gives the mail server twice the time after each failure, under one idempotency key (I16)", async () => {
    const run = await env.client.start(onboarding, ada);
    await env.skip("2s");
    const mails = (await retries(run)).filter(({ command }) => command === 2);
    expect(mails.map(({ data, at }) => [data.attempt, data.dueAt - at])).toEqual([
      [1, 250],
      [2, 500],
    ]);
    const welcomes = readLedger(ledger).filter(({ activity }) => activity === "send-mail");
    expect(welcomes.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(welcomes.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it("asks the CRM again when the CRM said, and repeats nothing that ran beside it (I12)", async () => {
    const run = await env.client.start(onboarding, ada);
    await env.skip("2s");
    const [busy, ...others] = (await retries(run)).filter(({ command }) => command !== 2);
    expect(others).toEqual([]);
    expect(busy!.data).toMatchObject({ activity: "add-to-crm", failure: { name: "RetryableError" } });
    expect(busy!.data.dueAt - busy!.at).toBe(600);
    expect(executions("add-to-crm")).toHaveLength(2);
    expect(executions("prepare-workspace")).toHaveLength(1);
    expect(executions("subscribe")).toHaveLength(1);
  });

  it("fails at once for an address that is blocked", async () => {
    const run = await env.client.start(onboarding, { email: "mallory@blocked.example" });
    await env.skip("1h");
    await expect(run.result()).rejects.toMatchObject({
      failure: { code: "activity-failed", details: { attempts: 1 }, cause: { name: "NonRetryableError" } },
    });
    expect(readLedger(ledger)).toHaveLength(1);
  });

  it("is one run for twenty starts with one key, and refuses the key for somebody else (I15)", async () => {
    const options = { idempotencyKey: "ada" };
    const runs = await Promise.all(Array.from({ length: 20 }, () => env.client.start(onboarding, ada, options)));
    await env.skip("2s");
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(1);
    expect(executions("create-account")).toEqual([ada]);
    await expect(env.client.start(onboarding, { email: "bob@perdure.example" }, options)).rejects.toMatchObject({
      code: "run-exists",
      details: { runId: runs[0]!.runId },
    });
  });

  it("refuses what is no address before there is a run", async () => {
    await expect(env.client.start(onboarding, { email: "ada" })).rejects.toMatchObject({ code: "invalid-input" });
    expect((await env.client.list()).runs).toEqual([]);
  });
});
