import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { activity } from "../define/activity.ts";
import { workflow } from "../define/workflow.ts";
import { createTestEnvironment } from "./virtual-environment.ts";

const nap = activity({ name: "nap", retry: { maximumAttempts: 2, delay: "1m", jitter: 0 } }, async (n: number) => n);
const napping = workflow({ name: "napping" }, async (ctx, n: number) => {
  for (let day = 0; day < n; day++) await ctx.sleep("1d");
  return [await ctx.run(nap, n), ctx.now().getTime()];
});

describe("fifty environments side by side", () => {
  it.concurrent.each(Array.from({ length: 50 }, (_, n) => n))(
    "number %i has its own time, mocks and crashes",
    async (n) => {
      const env = createTestEnvironment({ workflows: [napping], lease: "10s" });
      const startedAt = env.clock.now();
      const napped = env.mock(nap, async (_, { attempt }) => {
        if (attempt === 1) throw new Error(`tired ${n}`);
        return -n;
      });
      const crash = env.crashAfter(nap, { nth: 2, recorded: n % 2 === 0 });
      const run = await env.client.start(napping, n);
      expect(await env.result(run)).toEqual([-n, startedAt + n * 86_400_000 + 60_000 + (n % 2 === 0 ? 0 : 10_000)]);
      expect(crash.happened).toBe(true);
      expect(napped.calls.map(({ attempt }) => attempt)).toEqual(n % 2 === 0 ? [1, 2] : [1, 2, 2]);
      await env.close();
    },
  );
});

describe("node --test", () => {
  const program = fileURLToPath(new URL("../../test/programs/node-test.ts", import.meta.url));

  function run(env: Record<string, string>): Promise<{ readonly code: number | null; readonly stdout: string }> {
    const args = ["--conditions=@perdure/source", "--test", "--test-reporter=tap", program];
    return new Promise((resolve) => {
      const child = execFile(process.execPath, args, { env: { ...process.env, ...env } }, (_, stdout) =>
        resolve({ code: child.exitCode, stdout }),
      );
    });
  }

  it("runs tests that use the kit", { timeout: 60_000 }, async () => {
    const { code, stdout } = await run({});
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^# pass 3$/mu)]);
  });

  it("shows what an assertion on a history found, and where", { timeout: 60_000 }, async () => {
    const { code, stdout } = await run({ SHOW_FAILURE: "yes" });
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^# fail 1$/mu)]);
    expect(stdout).toMatch(/ran activity charge never, not at least once as expected/u);
    expect(stdout).toMatch(/3d {2}activity charge\('o-3'\) completed/u);
    expect(stdout).toMatch(/node-test\.ts:\d+/u);
  });
});
