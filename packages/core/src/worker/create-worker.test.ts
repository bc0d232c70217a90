import { describe, expect, it } from "vitest";
import { workflow } from "../define/workflow.ts";
import { memory } from "../memory.ts";
import type { StorageBackend } from "../storage.ts";
import { createWorker, type Worker } from "./worker.ts";

describe("createWorker", () => {
  const storage: StorageBackend = memory();
  const quick = workflow({ name: "quick" }, async () => 1);
  const other = workflow({ name: "quick" }, async () => {});

  it.each([
    ["a lease under 300 ms", { lease: 299 }, "invalid-argument"],
    ["a lease over an hour", { lease: "61m" }, "invalid-argument"],
    ["a lease that is no duration", { lease: "soon" as never }, "invalid-argument"],
    ["no queue", { queues: [] }, "invalid-argument"],
    ["a queue with too long a name", { queues: ["x".repeat(256)] }, "invalid-argument"],
    ["a queue of the wrong type", { queues: [7 as never] }, "invalid-argument"],
    ["no concurrency", { concurrency: 0 }, "invalid-argument"],
    ["half a run", { concurrency: { runs: 0.5, activities: 1 } }, "invalid-argument"],
    ["a negative cache", { cacheRuns: -1 }, "invalid-argument"],
    ["no delivery", { maxDeliveries: 0 }, "invalid-argument"],
    ["two workflows of one name", { workflows: [quick, other] }, "duplicate-definition"],
    ["what is no workflow", { workflows: [{ name: "fake" } as never] }, "invalid-argument"],
    ["nothing as a workflow", { workflows: [undefined as never] }, "invalid-argument"],
  ] as const)("refuses %s, and says what to do", (_, options, code) => {
    const make = (): Worker => createWorker({ storage, workflows: [quick], ...options });
    expect(make).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(/\. [A-Z].*\.$/u) as unknown }),
    );
  });

  it.each([
    { lease: 300 },
    { lease: "1h" },
    { concurrency: 1, cacheRuns: 0, maxDeliveries: 1 },
    { workflows: [quick, quick] },
  ] as const)("takes %j", (options) => {
    expect(createWorker({ storage, workflows: [quick], ...options })).toBeDefined();
  });
});
