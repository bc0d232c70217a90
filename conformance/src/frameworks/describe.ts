import type { ConformanceCase } from "../case.ts";
import type { Chances } from "../chances.ts";
import { type Level, LEVEL_TITLES, LEVELS } from "../level.ts";
import { FAILURES } from "../model/kept-failures.ts";
import { type CaseOutcome, limitOf, runCase } from "../run-case.ts";
import { nothingSelected, selectCases } from "../runner.ts";
import type { Strikes } from "../strikes.ts";
import type { BackendUnderTest } from "../subject.ts";

/** Which cases become tests, and how they play. */
export interface DescribeOptions extends Partial<Strikes>, Chances {
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
}

/** What the suite needs of a test framework. */
export interface TestFramework {
  describe(name: string, body: () => void): void;
  /** `skip` says that the test, which has nothing more to do, counts neither as passed nor as failed. */
  test(name: string, timeoutMs: number, body: (skip: (reason: string) => void) => Promise<void>): void;
  /** Called when the tests of the suite around it are over. */
  after(body: () => void | Promise<void>): void;
}

/** Registers every case of the suite as a test of a framework. */
export function describeWith(framework: TestFramework, subject: BackendUnderTest, options: DescribeOptions): void {
  const { levels = LEVELS, grep, seed = 1, ...others } = options;
  const how = { seed, failures: FAILURES, ...others };
  const selection = { levels, ...(grep !== undefined && { grep }) };
  if (selectCases(selection).length === 0) throw nothingSelected(selection);
  framework.describe(`conformance of ${subject.name}`, () => {
    framework.after(() => subject.end?.());
    for (const level of levels) {
      const cases = selectCases({ ...selection, levels: [level] });
      if (cases.length > 0) describeLevel(level, cases);
    }
  });

  function describeLevel(level: Level, cases: readonly ConformanceCase[]): void {
    const fired = new Map<string, number>();
    framework.describe(`${level} ${LEVEL_TITLES[level]}`, () => {
      for (const one of cases) {
        const tags = [...(one.scenarios ?? []), ...one.invariants].join(" ");
        const limit = limitOf(one, how) * 2 + 10_000;
        framework.test(`${one.id} (${tags})`, limit, async (skip) => {
          const outcome = await runCase(subject, one, how);
          judge(outcome);
          for (const [name, count] of outcome.guards) fired.set(name, (fired.get(name) ?? 0) + count);
          if (outcome.report.status !== "not-applicable") return;
          if (outcome.twin !== undefined) judge(await runCase(subject, outcome.twin, how));
          skip(outcome.report.message!);
        });
      }
      framework.test("every guard was seen to refuse", 5_000, async () => {
        const silent = [...fired].filter(([, count]) => count === 0).map(([name]) => name);
        if (silent.length > 0) throw plain(`Guards that never fired, so nothing is proved: ${silent.join(", ")}.`);
      });
    });
  }
}

/** Fails the test with everything that teaches. */
function judge({ report }: CaseOutcome): void {
  if (report.status === "failed") throw plain(report.message);
}

/** Says what it says, and nothing of our own stack. */
function plain(message: string | undefined): Error {
  const error = new Error(message);
  error.stack = "";
  return error;
}
