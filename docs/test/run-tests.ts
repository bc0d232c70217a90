import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./programs.ts";

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs this process's Node. */
export function node(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...args],
      { env: { ...process.env, NO_COLOR: "1" } },
      (_, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
    );
  });
}

/** Runs the tests of a page's folder with vitest. */
export function vitest(folder: string): Promise<Outcome> {
  // A reader needs no configuration: here it resolves packages to their sources.
  const config = join(folder, "vitest.config.ts");
  writeFileSync(
    config,
    'export default { ssr: { resolve: { conditions: ["@perdure/source", "module", "node", "development|production"] } } };',
  );
  return node([join(root, "node_modules", "vitest", "vitest.mjs"), "run", "--root", folder, "--config", config]);
}
