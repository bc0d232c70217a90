import { dirname } from "node:path";
import { afterAll, expect, it } from "vitest";
import { writePrograms } from "./programs.ts";
import { node, vitest } from "./run-tests.ts";

const written = writePrograms(["docs/testing.md"]);
afterAll(() => written.remove());

const fileOf = (name: string): string => written.programs.find((program) => program.name === name)!.file;

it("vitest runs the page's tests", { timeout: 60_000 }, async () => {
  const { code, output } = await vitest(dirname(fileOf("order.test.ts")));
  expect([code, output]).toEqual([0, expect.stringMatching(/Tests +3 passed/u)]);
});

it("node --test runs the page's tests", { timeout: 60_000 }, async () => {
  const args = ["--conditions=@perdure/source", "--test", "--test-reporter=tap", fileOf("order.node.ts")];
  const { code, output } = await node(args);
  expect([code, output]).toEqual([0, expect.stringMatching(/^# pass 1$/mu)]);
});
