import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toMermaid } from "@perdure/core";
import { createTestEnvironment, type TestEnvironment } from "@perdure/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answered, assessment } from "../src/assessment.ts";
import { readLedger } from "../src/ledger.ts";

// With cacheRuns 0 every turn begins from nothing but the history, as after a crash.
describe.each([1_000, 0])("assessment, with %i runs in memory", (cacheRuns) => {
  let env: TestEnvironment;
  let folder: string;
  let ledger: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "perdure-assessment-test-"));
    ledger = process.env["ASSESSMENT_LEDGER"] = join(folder, "ledger.jsonl");
    writeFileSync(ledger, "");
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    env = createTestEnvironment({ workflows: [assessment], logger, cacheRuns });
  });
  afterEach(async () => {
    await env.close();
    delete process.env["ASSESSMENT_LEDGER"];
    rmSync(folder, { recursive: true });
  });

  const times = (activity: string): number =>
    readLedger(ledger).filter((execution) => execution.activity === activity).length;
  const ada = { student: "ada", topic: "arithmetic" };

  it("takes each answer once, whenever it comes (I18)", async () => {
    const run = await env.client.start(assessment, ada);
    await run.signal(answered, { question: 0, text: "42" }); // nobody has asked yet
    await env.skip("1h");
    expect(await run.state()).toMatchObject({ answers: { 0: "42" }, questions: { length: 3 } });
    expect(await run.describe()).toMatchObject({
      currentStep: "wait-for-answers",
      waitingFor: [{ what: "signal", name: "answered" }],
    });

    await run.signal(answered, { question: 2, text: "12" }, { id: "third" });
    await run.signal(answered, { question: 2, text: "13" }, { id: "third" }); // the same id: counts once
    await run.signal(answered, { question: 1, text: "1000" });
    await env.skip("6d");
    expect(await run.describe()).toMatchObject({ currentStep: "review", waitingFor: [{ what: "timer" }] });
    expect(times("publish-grade")).toBe(0);
    await env.skip("1d");
    expect(await run.result()).toEqual({ student: "ada", points: 2, of: 3, reminders: 0 });
    expect(await run.state()).toMatchObject({ points: [1, 0, 1] });
    expect(times("publish-grade")).toBe(1);
  });

  it("reminds a silent student twice, two days apart, and then grades what is there", async () => {
    const run = await env.client.start(assessment, ada);
    await env.skip("1d");
    expect(times("remind")).toBe(0);
    await env.skip("1d");
    await env.skip("1m");
    expect(times("remind")).toBe(1);
    await env.skip("2d");
    expect(times("remind")).toBe(2);
    expect(times("grade")).toBe(0);
    await env.skip("2d");
    expect(times("grade")).toBe(3);
    await env.skip("1w");
    expect(await run.result()).toEqual({ student: "ada", points: 0, of: 3, reminders: 2 });
    expect(times("remind")).toBe(2);
  });

  it("makes another attempt when the model is overloaded, and none when it knows nothing", async () => {
    const run = await env.client.start(assessment, { student: "ada", topic: "heraldry" });
    await env.skip("1h");
    await expect(run.result()).rejects.toMatchObject({
      failure: { details: { activity: "generate-quiz", attempts: 2 }, cause: { name: "NonRetryableError" } },
    });
    expect(times("generate-quiz")).toBe(2);
    const steps = (await run.history()).filter(({ type }) => type.startsWith("STEP_"));
    expect(steps).toMatchObject([{ type: "STEP_STARTED", data: { step: "generate-quiz" } }]);
  });

  it("refuses what is no answer where it is sent", async () => {
    const run = await env.client.start(assessment, ada);
    await expect(run.signal(answered, { question: -1, text: "42" })).rejects.toMatchObject({ code: "invalid-input" });
  });
});

describe("assessment's graph", () => {
  it("is drawn from its definition", () => {
    const drawn = toMermaid(assessment.graph());
    expect([...drawn.matchAll(/\["(.+)"\]$/gm)].map(([, name]) => name)).toEqual([
      "generate-quiz",
      "publish-quiz",
      "wait-for-answers",
      "grade",
      "review",
      "publish-grade",
    ]);
  });
});
