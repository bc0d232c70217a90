import { memory } from "@perdure/core/memory";
import { isPerdureError, type StorageBackend } from "@perdure/core/storage";
import { describe, expect, it } from "vitest";
import { newRun } from "../src/build/run.ts";
import { withFaults } from "../src/faults.ts";
import { Random } from "../src/random.ts";

const run = newRun(new Random(1));

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return isPerdureError(error) ? error.code : "not a Perdure error";
  }
}

async function isThere(backend: StorageBackend): Promise<boolean> {
  return (await backend.getRun(run.runId)) !== undefined;
}

describe("withFaults", () => {
  it("fails before: nothing is applied", async () => {
    const backend = memory();
    const flaky = withFaults(backend, [{ verb: "createRuns", nth: 1, fault: "fail-before" }]);
    expect(await codeOf(flaky.createRuns([run]))).toBe("unavailable");
    expect(await isThere(backend)).toBe(false);
    expect(flaky.happened).toEqual([{ verb: "createRuns", nth: 1, fault: "fail-before" }]);
    expect(await flaky.createRuns([run])).toMatchObject([{ status: "created" }]);
  });

  it("fails after: it is applied, and the answer is lost", async () => {
    const backend = memory();
    const flaky = withFaults(backend, [{ verb: "createRuns", nth: 2, fault: "fail-after" }]);
    await flaky.createRuns([newRun(new Random(2))]);
    expect(flaky.happened).toEqual([]);
    expect(await codeOf(flaky.createRuns([run]))).toBe("unavailable");
    expect(await isThere(backend)).toBe(true);
  });

  it("applies twice, and answers with the second", async () => {
    const flaky = withFaults(memory(), [{ verb: "createRuns", nth: 1, fault: "twice" }]);
    expect(await flaky.createRuns([run])).toMatchObject([{ status: "existing" }]);
  });

  it("delays", async () => {
    const backend = memory();
    const flaky = withFaults(backend, [{ verb: "createRuns", fault: { delayMs: 20 } }]);
    const call = flaky.createRuns([run]);
    expect(await isThere(backend)).toBe(false);
    await call;
    expect(await isThere(backend)).toBe(true);
  });

  it("counts each verb for itself, and leaves all else to the backend", async () => {
    const backend = memory();
    const flaky = withFaults(backend, [{ verb: "stats", fault: "fail-before" }]);
    await flaky.setup();
    expect(await codeOf(flaky.stats())).toBe("unavailable");
    expect(await codeOf(flaky.stats())).toBe("unavailable");
    expect(flaky.happened.map(({ nth }) => nth)).toEqual([1, 2]);
    expect(flaky.info).toBe(backend.info);
    expect("subscribe" in flaky).toBe(true);
  });
});
