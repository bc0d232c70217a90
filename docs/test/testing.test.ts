import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { root, writePrograms } from "./programs.ts";

const written = writePrograms(["docs/testing.md"]);
afterAll(() => written.remove());

const fileOf = (name: string): string => written.programs.find((program) => program.name === name)!.file;

function node(args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...args],
      { env: { ...process.env, NO_COLOR: "1" } },
      (_, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
    );
  });
}

it("vitest runs the page's tests", { timeout: 60_000 }, async () => {
  const folder = dirname(fileOf("order.test.ts"));
  // A reader needs no configuration: here it resolves packages to their sources.
  const config = join(folder, "vitest.config.ts");
  writeFileSync(
    config,
    'export default { ssr: { resolve: { conditions: ["@perdure/source", "module", "node", "development|production"] } } };',
  );
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const { code, output } = await node([vitest, "run", "--root", folder, "--config", config]);
  expect([code, output]).toEqual([0, expect.stringMatching(/Tests +3 passed/u)]);
});

it("node --test runs the page's tests", { timeout: 60_000 }, async () => {
  const args = ["--conditions=@perdure/source", "--test", "--test-reporter=tap", fileOf("order.node.ts")];
  const { code, output } = await node(args);
  expect([code, output]).toEqual([0, expect.stringMatching(/^# pass 1$/mu)]);
});
