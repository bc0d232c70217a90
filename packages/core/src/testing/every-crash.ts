import { AssertionError } from "node:assert";
import { UsageError } from "../errors/index.ts";
import type { PlannedCrash } from "./crashes.ts";
import { createTestEnvironment } from "./virtual-environment.ts";
import type { MakeStorage, TestEnvironment, TestEnvironmentOptions } from "./test-environment.ts";

/** As of an environment; each play has a store of its own. */
export interface EveryCrashOptions extends Omit<TestEnvironmentOptions, "storage" | "clock"> {
  /** Makes the store of one play. Default: memory. */
  readonly storage?: MakeStorage;
}

/**
 * Plays a scenario again and again, each time with one crash of the worker at another place: instead of its first write, its
 * second, … until there is no such write, and then after each write, before its answer. A scenario that passes holds wherever a
 * crash can make a difference. It must let time pass, with `env.result` or `env.skip`: a crashed worker's lease has to run out.
 * Answers the number of crashes.
 *
 * @throws AssertionError with the place of the crash, and what the scenario threw as its cause; what the scenario throws without any
 * crash, as it is
 * @example
 * await everyCrash({ workflows: [order] }, async (env) => {
 *   const charged = env.mock(charge, async () => ({ receipt: "r-1" }));
 *   const run = await env.client.start(order, { orderId: "o-1" });
 *   assert.equal(await env.result(run), "r-1");
 *   assert.equal(new Set(charged.calls.map(({ idempotencyKey }) => idempotencyKey)).size, 1);
 * });
 */
export async function everyCrash(
  options: EveryCrashOptions,
  scenario: (env: TestEnvironment) => Promise<void>,
): Promise<number> {
  if (typeof options.storage === "object") {
    throw new UsageError(
      "invalid-argument",
      "everyCrash plays on a new store each time, so its storage must be a function that makes one. Pass (clock) => … instead of a storage.",
    );
  }
  await play(options, scenario, () => null);
  let crashes = 0;
  for (const recorded of [false, true]) {
    for (let nth = 1; ; nth++) {
      const crash = await play(options, scenario, (env) => env.crashAt(nth, { recorded }));
      if (crash?.happened !== true) break;
      crashes++;
    }
  }
  if (crashes > 0) return crashes;
  throw new AssertionError({
    message:
      "The worker wrote nothing in this scenario, so nothing was proven. Start a run, and wait for it with env.result.",
  });
}

async function play(
  options: EveryCrashOptions,
  scenario: (env: TestEnvironment) => Promise<void>,
  plan: (env: TestEnvironment) => PlannedCrash | null,
): Promise<PlannedCrash | null> {
  const env = createTestEnvironment(options);
  const crash = plan(env);
  try {
    await scenario(env);
    return crash;
  } catch (error) {
    throw crash?.happened === true ? crashed(crash, error) : error;
  } finally {
    await env.close();
  }
}

function crashed({ where }: PlannedCrash, cause: unknown): Error {
  const { message, actual, expected, operator } = cause as Partial<AssertionError>;
  const error = new AssertionError({
    message: `With a crash ${where}: ${message ?? String(cause)}`,
    actual,
    expected,
    ...(operator !== undefined && { operator }),
  });
  error.cause = cause;
  return error;
}
