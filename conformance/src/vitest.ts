import { afterAll, describe, expect, test } from "vitest";
import type { ConformanceCase } from "./case.ts";
import type { Level } from "./level.ts";
import { LEVEL_TITLES, LEVELS } from "./level.ts";
import { type CaseOutcome, runCase } from "./run-case.ts";
import { selectCases } from "./runner.ts";
import type { BackendUnderTest } from "./subject.ts";

export interface DescribeOptions {
  /** All by default. L1, L2 and L3 are nobody's to leave out for good. */
  readonly levels?: readonly Level[];
  /** Only cases whose id contains this text. */
  readonly grep?: string;
  /** Reproduces every choice that cases make by chance; 1 by default. */
  readonly seed?: number;
  /** Cases that do not say otherwise have so long; 30 s by default. */
  readonly timeoutMs?: number;
  /** The large numbers. */
  readonly full?: boolean;
  /** Workers that the kill -9 lab kills; by default 300, or 1,000 of the large numbers. */
  readonly kills?: number;
}

/**
 * Registers every case of the suite as a test. A case that the backend's capabilities make not applicable is skipped with
 * the reason, after its twin has passed.
 *
 * @example
 * describeStorageBackend({ name: "storage-mine", open: ({ namespace }) => mine({ url, namespace }) });
 */
export function describeStorageBackend(subject: BackendUnderTest, options: DescribeOptions = {}): void {
  const { levels = LEVELS, grep, seed = 1, timeoutMs = 30_000, full = false, kills } = options;
  const how = { seed, timeoutMs, full, ...(kills !== undefined && { kills }) };
  describe(`conformance of ${subject.name}`, () => {
    afterAll(() => subject.end?.());
    for (const level of levels) {
      const cases = selectCases({ levels: [level], ...(grep !== undefined && { grep }) });
      if (cases.length > 0) describeLevel(level, cases);
    }
  });

  function describeLevel(level: Level, cases: readonly ConformanceCase[]): void {
    const fired = new Map<string, number>();
    describe(`${level} ${LEVEL_TITLES[level]}`, () => {
      for (const one of cases) {
        const tags = [...(one.scenarios ?? []), ...one.invariants].join(" ");
        const limit = (one.timeoutMs ?? timeoutMs) * 2 + 10_000;
        // oxlint-disable-next-line vitest/expect-expect -- the case asserts, and `judge` throws what it found
        test(`${one.id} (${tags})`, { timeout: limit }, async ({ skip }) => {
          const outcome = await runCase(subject, one, how);
          judge(outcome);
          for (const [name, count] of outcome.guards) fired.set(name, (fired.get(name) ?? 0) + count);
          if (outcome.report.status !== "not-applicable") return;
          if (outcome.twin !== undefined) judge(await runCase(subject, outcome.twin, how));
          skip(outcome.report.message);
        });
      }
      test("every guard was seen to refuse", () => {
        expect([...fired].filter(([, count]) => count === 0)).toEqual([]);
      });
    });
  }
}

/** Fails the test with everything that teaches, and nothing of our own stack. */
function judge({ report }: CaseOutcome): void {
  if (report.status !== "failed") return;
  const error = new Error(report.message);
  error.stack = "";
  throw error;
}
