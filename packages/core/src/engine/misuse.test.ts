/** What people do in workflow code who have no types, or have cast them away. */
import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { activity } from "../define/activity.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import type { Failure } from "../model/failure.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- that is what this file is about
type Untyped = any;

const echo = activity({ name: "echo", retry: 1 }, async (input: unknown) => input);
const go = signal<unknown>("go");
const kid = workflow({ name: "kid" }, async (_ctx, input: unknown) => input);

const CALLS: readonly (readonly [what: string, call: (ctx: Untyped) => unknown, code: string, says: RegExp])[] = [
  [
    "an option that ctx.run does not have",
    (ctx) => ctx.run(echo, 1, { retries: 5 }),
    "invalid-argument",
    /ctx\.run of activity "echo" has no option "retries"/,
  ],
  [
    "an option of an inline activity that is none",
    (ctx) => ctx.run("f", () => 1, { timeOut: 5 }),
    "invalid-argument",
    /ctx\.run of activity "f" has no option "timeOut"/,
  ],
  [
    "a time-out that is not in an object",
    (ctx) => ctx.waitFor(go, "5s"),
    "invalid-argument",
    /ctx\.waitFor takes its options as an object/,
  ],
  [
    "an option that ctx.child does not have",
    (ctx) => ctx.child(kid, 1, { runId: "x" }),
    "invalid-argument",
    /ctx\.child has no option "runId"/,
  ],
  ["a signal by its name", (ctx) => ctx.signal("r", "go", 1), "invalid-argument", /no signal/],
  [
    "a time that is none",
    (ctx) => ctx.sleep("5 minutes"),
    "invalid-argument",
    /^The time of ctx\.sleep is "5 minutes"/,
  ],
  [
    "a Date that is none",
    (ctx) => ctx.sleep(new Date("x")),
    "invalid-argument",
    /^The time of ctx\.sleep must be a valid Date/,
  ],
  [
    "a side effect that is asynchronous",
    (ctx) => ctx.sideEffect("now", async () => 1),
    "invalid-argument",
    /side effect "now" answered a promise.*ctx\.run/,
  ],
  [
    "a side effect without a function",
    (ctx) => ctx.sideEffect("now"),
    "invalid-argument",
    /function of side effect "now" must be a function/,
  ],
  [
    "an update that is asynchronous",
    (ctx) => ctx.state.update(async () => ({ a: 1 })),
    "invalid-argument",
    /ctx\.state\.update must answer an object/,
  ],
  [
    "an update of a copy",
    (ctx) => ctx.state.update((state: Untyped) => void (state.a = 1)),
    "invalid-argument",
    /ctx\.state\.update must answer an object/,
  ],
  [
    "a state that cannot be stored",
    (ctx) => ctx.state.set("a", call),
    "not-serializable",
    /^The state field "a" cannot be stored: \$ is a function/,
  ],
  [
    "an input that cannot be stored",
    (ctx) => ctx.run(echo, { a: call }),
    "not-serializable",
    /^The input of activity "echo" cannot be stored: \$\.a is/,
  ],
  [
    "a child's input that cannot be stored",
    (ctx) => ctx.child(kid, call),
    "not-serializable",
    /^The input of child workflow "kid" cannot/,
  ],
  [
    "a payload that cannot be stored",
    (ctx) => ctx.signal("r", go, call),
    "not-serializable",
    /^The payload of signal "go" cannot/,
  ],
  ["an output that cannot be stored", () => call, "not-serializable", /^The output of workflow "misused" cannot/],
  [
    "a next input that is too large",
    (ctx) => ctx.continueAsNew("x".repeat(2_000_000)),
    "payload-too-large",
    /^The input of workflow "misused" takes/,
  ],
];

function call(): void {}

describe("workflow code", () => {
  it.each(CALLS)("fails with what to do about it: %s", async (_, code, expected, says) => {
    const misused = workflow({ name: "misused", state: { initial: { a: 0 } } }, async (ctx) => code(ctx));
    const env = environment({ workflows: [misused, kid] });
    const run = await env.client.start(misused, undefined);
    await env.runUntilIdle();
    const { failure } = await run.describe();
    expect(failure).toMatchObject({ code: expected } satisfies Partial<Failure>);
    expect(failure!.message).toMatch(says);
    expect(failure!.message).toMatch(/[.:] [A-Z]/u);
  });

  it("is told which activity answered what cannot be stored", async () => {
    const odd = activity({ name: "odd", retry: 5 }, async () => ({ at: [call] }));
    const misused = workflow({ name: "misused" }, (ctx) => ctx.run(odd, undefined));
    const env = environment({ workflows: [misused] });
    const run = await env.client.start(misused, undefined);
    await env.runUntilIdle();
    await expect(run.result()).rejects.toMatchObject({
      failure: {
        details: { attempts: 1 },
        cause: {
          code: "not-serializable",
          message: expect.stringMatching(/^The output of activity "odd" cannot be stored: \$\.at\[0\]/u) as unknown,
          details: { path: "$.at[0]" },
        },
      },
    });
  });
});
