// Everything that can be known about the repository without running its tests. Says what failed, and why.
import { brokenLayers } from "./layers.ts";
import { readSources } from "./sources.ts";
import { type Outcome, run } from "./run.ts";
import { workspaces } from "./workspaces.ts";

type Check = readonly [name: string, judge: () => Promise<Outcome>];

const checks: readonly Check[] = [
  ["types", () => run("tsc -p .")],
  ["lint", () => run("oxlint --deny-warnings")],
  ["format", () => run("oxfmt --check")],
  ["layers", checkLayers],
  ["dead code", () => run("knip --no-config-hints")],
];

async function checkLayers(): Promise<Outcome> {
  const broken = brokenLayers(readSources());
  return { ok: broken.length === 0, output: broken.map((sentence) => `${sentence}\n`).join("") };
}

/** Builds, then looks at every published package as its users will get it. */
async function checkPackages(): Promise<Outcome> {
  const build = await run("node tools/build.ts");
  if (!build.ok) return build;
  const looks = workspaces()
    .filter(({ published }) => published)
    .flatMap(({ folder }) => [run("publint --strict", folder), run("attw --pack . --profile esm-only", folder)]);
  const outcomes = await Promise.all(looks);
  const failed = outcomes.filter(({ ok }) => !ok);
  return { ok: failed.length === 0, output: failed.map(({ output }) => output).join("\n") };
}

const failures: string[] = [];
async function report([name, judge]: Check): Promise<void> {
  const { ok, output } = await judge();
  console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
  if (!ok) failures.push(`\n== ${name} ==\n${output.trimEnd()}`);
}

await Promise.all(checks.map(report));
// Last, and alone: it builds, and the others would see `dist` come and go.
await report(["package exports", checkPackages]);
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exit(1);
