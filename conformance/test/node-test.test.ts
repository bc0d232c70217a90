import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const FILE = fileURLToPath(new URL("on-node-test.ts", import.meta.url));

/** Node's own runner over the file, which tests nothing while another runner thinks that it runs it. */
async function run(grep: string): Promise<string> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ["--conditions=@perdure/source", "--test", "--test-reporter=tap", FILE];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...env, GREP: grep } });
  return stdout;
}

it("the suite runs under node:test, too, where what is not applicable is skipped with the reason", async () => {
  const passed = await run("setup.");
  expect(passed).toMatch(/ok \d+ - setup\.idempotent \(I25\)/u);
  expect(passed).toMatch(/^# fail 0$/mu);
  await expect(run("no such case")).rejects.toMatchObject({
    stdout: expect.stringContaining("No case of L1, L2, L3, L4, L5 has no such case in its id.") as string,
  });
  const skipped = await run("crash.reopen");
  expect(skipped).toMatch(/ok \d+ - crash\.reopen .* # SKIP Not applicable: /u);
});
