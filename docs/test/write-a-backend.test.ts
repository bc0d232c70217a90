import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CASES } from "@perdure/conformance";
import { afterAll, expect, it } from "vitest";
import { root, writePrograms } from "./programs.ts";
import { node, vitest } from "./run-tests.ts";

const PAGE = "docs/write-a-backend.md";
const page = readFileSync(join(root, PAGE), "utf8");
const written = writePrograms([PAGE]);
afterAll(() => written.remove());

const fileOf = (name: string): string => written.programs.find((program) => program.name === name)!.file;

/** The suite's command on the backend of the first hour, with what the page says after it. */
function suite(grep: string): ReturnType<typeof node> {
  const cli = join(root, "conformance", "src", "cli.ts");
  return node(["--conditions=@perdure/source", cli, fileOf("subject.ts"), "--level", "L1", "--grep", grep]);
}

it("the backend of the first hour passes its first case", { timeout: 60_000 }, async () => {
  expect(page).toContain("--grep create.stores-everything   # 1 passed");
  const { code, output } = await suite("create.stores-everything");
  expect([code, output]).toEqual([0, expect.stringMatching(/^mine +1 +0 +0 /mu)]);
});

it("and is told what is missing", { timeout: 60_000 }, async () => {
  const said = "This verb is not written yet.";
  expect(page).toContain(`--grep claim.workflow-task        # "${said}"`);
  const { code, output } = await suite("claim.workflow-task");
  expect([code, output]).toEqual([1, expect.stringContaining(said)]);
});

it("vitest runs the page's tests", { timeout: 60_000 }, async () => {
  const { code, output } = await vitest(dirname(fileOf("mine.test.ts")));
  expect([code, output]).toEqual([0, expect.stringMatching(/Tests +2 passed/u)]);
});

it("names cases that exist", () => {
  const all = CASES.flatMap(({ id, twin }) => [id, ...(twin === undefined ? [] : [twin.id])]);
  const groups = new Set(all.map((id) => id.split(".", 1)[0]!));
  const named = [...page.matchAll(/`([a-z]+)\.([a-z0-9'-]+)`/g)].filter(([, group]) => groups.has(group!));
  expect(named.length).toBeGreaterThan(40);
  const ids = named.map(([, group, rest]) => `${group}.${rest}`);
  expect(ids.filter((id) => !all.some((one) => one.startsWith(id)))).toEqual([]);
});
