import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { root } from "./programs.ts";

const CLI = join(root, "conformance/src/cli.ts");
const PAGE = join(root, "docs/conformance.md");

async function printed(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=@perdure/source", CLI, ...args]);
  return stdout.trim();
}

it("has the results of the reports, and every promise with its cases; else: npm test -- conformance-page -u", async () => {
  const reports = globSync("conformance/reports/*.json", { cwd: root }).toSorted();
  const results = await printed("matrix", ...reports.map((file) => join(root, file)));
  const promises = await printed("promises");
  const page = readFileSync(PAGE, "utf8")
    .replace(/^\| backend(?:.*\n)+?(?=\n)/m, () => `${results}\n`)
    .replace(/(?<=^## Promises\n)[^]*/m, () => `\n${promises}\n`);
  await expect(page).toMatchFileSnapshot(PAGE);
});
