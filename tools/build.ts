// Emits `dist` for every published package, each one after those that it imports.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.ts";
import { root, workspaces } from "./workspaces.ts";

for (const { name, folder, published } of workspaces()) {
  if (!published) continue;
  rmSync(join(root, folder, "dist"), { recursive: true, force: true });
  const { ok, output } = await run("tsc -p tsconfig.build.json", folder);
  console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
  if (!ok) {
    console.error(output);
    process.exit(1);
  }
}
