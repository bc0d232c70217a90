import { createTestEnvironment, type TestEnvironment, type TestEnvironmentOptions } from "@perdure/core/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadInBatches, loadRowByRow } from "../src/load.ts";
import { pipelineWith } from "../src/pipeline.ts";

const logger = { debug() {}, info() {}, warn() {}, error() {} };
function environment(options: TestEnvironmentOptions): TestEnvironment {
  const env = createTestEnvironment({ logger, ...options });
  onTestFinished(() => env.close());
  return env;
}

/** Another deployment over the same store: other code, the same time. */
function deployment({ storage, clock }: TestEnvironment, load: typeof loadInBatches): TestEnvironment {
  return environment({ storage, clock, workflows: [pipelineWith(load)], seed: load.name });
}

const old = pipelineWith(loadRowByRow);
const mended = pipelineWith(loadInBatches);

describe("pipeline", () => {
  // With cacheRuns 0 every turn begins from nothing but the history, as after a crash.
  it.each([1_000, 0])("gives each call its own result, falsy ones too, with %i runs in memory", async (cacheRuns) => {
    const env = environment({ workflows: [mended], cacheRuns });
    const run = await env.client.start(mended, { sources: ["refunds", "orders", "refunds"] });
    await env.runUntilIdle();
    expect(await run.result()).toStrictEqual({
      since: null,
      newColumns: false,
      duplicates: 0,
      problems: "",
      loaded: [
        { source: "refunds", rows: 0, batches: 0 },
        { source: "orders", rows: 3, batches: 1 },
        { source: "refunds", rows: 0, batches: 0 },
      ],
    });
    const completed = (await run.history()).filter((event) => event.type === "ACTIVITY_COMPLETED");
    const extracted = completed.filter(({ data }) => data.activity === "extract");
    expect(extracted.map(({ data }) => data.output)).toMatchObject([[], { length: 3 }, []]);
  });

  it("goes on with mended code, and keeps what the code before has completed (I12)", async () => {
    const before = environment({ workflows: [old] });
    const run = await before.client.start(old, { sources: ["orders", "customers"] });
    await before.skip("1s");
    expect((await run.describe()).currentActivities).toMatchObject([{ name: "load", attempt: 1 }]);
    await before.worker.stop({ grace: 0 });

    const after = deployment(before, loadInBatches);
    await after.runUntilIdle();
    expect(await run.result()).toMatchObject({
      loaded: [
        { source: "orders", rows: 3 },
        { source: "customers", rows: 20, batches: 1 },
      ],
    });
  });

  it("waits with the reason when an activity was renamed, and goes on by itself after the fix", async () => {
    const before = environment({ workflows: [old] });
    const run = await before.client.start(old, { sources: ["orders", "customers"] });
    await before.skip("1s");
    await before.worker.stop({ grace: 0 });
    const history = await run.history();

    const renamed = deployment(before, { ...loadInBatches, name: "store" });
    await renamed.runUntilIdle();
    const { blocked, status, why } = await run.describe();
    expect(status).toBe("suspended");
    expect(blocked).toMatchObject({ code: "determinism" });
    expect(why).toMatch(
      /^It is blocked \(determinism\).*"load" as command \d+, but the code asked for ACTIVITY_SCHEDULED "store"/,
    );
    expect(await run.history()).toEqual(history);
    await renamed.worker.stop();

    const fixed = deployment(before, loadInBatches);
    await fixed.skip("30s");
    expect(await run.result()).toMatchObject({ loaded: [{ source: "orders" }, { source: "customers", batches: 1 }] });
  });
});
