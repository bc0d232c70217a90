import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ConformanceReport } from "../src/report.ts";

const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url));

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "perdure-report-"))));
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function cli(...args: readonly string[]): Promise<Ended> {
  try {
    const ended = await promisify(execFile)(process.execPath, ["--conditions=@perdure/source", CLI, ...args]);
    return { ...ended, code: 0 };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

async function reportOf(...args: readonly string[]): Promise<ConformanceReport> {
  const file = join(folder, "report.json");
  await cli(...args, "--json", file);
  return JSON.parse(await readFile(file, "utf8")) as ConformanceReport;
}

describe("the report", { timeout: 60_000 }, () => {
  it("has the schema that tools read", async () => {
    const report = await reportOf("memory", "--grep", "fence.", "--seed", "11");
    expect(Object.keys(report)).toEqual([
      "schema",
      "suite",
      "backend",
      "runtime",
      "capabilities",
      "seed",
      "ms",
      "cases",
      "guards",
    ]);
    expect(report).toMatchObject({
      schema: 1,
      suite: expect.stringMatching(/^@perdure\/conformance \d+\.\d+\.\d+/u) as string,
      backend: "memory",
      runtime: expect.stringMatching(/^node v\d+/u) as string,
      capabilities: { clock: { kind: "shared" }, durability: "memory" },
      seed: 11,
    });
    expect(report.cases.length).toBeGreaterThan(20);
    for (const one of report.cases) {
      expect(one).toEqual({
        id: expect.stringMatching(/^fence\./u) as string,
        level: "L3",
        invariants: expect.arrayContaining(["I6"]) as string[],
        status: "passed",
        ms: expect.any(Number) as number,
      });
    }
    expect(report.guards["stale-hold-refused"]).toBeGreaterThan(0);
  });

  it("exits with 0 for a pass, 1 for anything else, 2 for what it cannot understand", async () => {
    expect(await cli("memory", "--grep", "setup.")).toMatchObject({ code: 0 });
    const nothing = await cli("memory", "--grep", "no such case");
    expect(nothing).toMatchObject({ code: 1 });
    expect(nothing.stdout).toContain("This is not a pass.");
    expect(await cli("no-such-backend")).toMatchObject({ code: 2 });
    expect(await cli("memory", "--level", "L9")).toMatchObject({ code: 2 });
    expect((await cli("memory", "--seed", "x")).stderr).toContain("--seed x is not a whole number.");
  });

  it("counts what was tried at random: as much as it is told", async () => {
    const { cases } = await reportOf("memory", "--level", "L5", "--runs", "6");
    expect(cases.filter(({ counts }) => counts?.["random inputs"] !== undefined)).toMatchObject([
      { id: "model.sequences", status: "passed", counts: { "random inputs": 6 } },
      { id: "model.concurrent", status: "passed", counts: { "random inputs": 3 } },
    ]);
  });

  it("takes a module by its path, and prints one line for what is not a pass", async () => {
    const ended = await cli(fileURLToPath(new URL("../backends/memory.ts", import.meta.url)), "--level", "1");
    expect(ended.code).toBe(0);
    const lines = ended.stdout.split("\n").filter((line) => line.includes("n/a"));
    expect(lines).toHaveLength(2);
    expect(ended.stdout).toMatch(/^backend\s+passed\s+failed\s+not applicable\s+seconds$/mu);
  });

  it("becomes a table", async () => {
    const file = join(folder, "matrix.json");
    await cli("memory", "--level", "L1,L3", "--grep", "cache.", "--json", file);
    const { stdout } = await cli("matrix", file);
    expect(stdout).toContain("| backend | store | L1 | L2 | L3 | L4 | L5 | conforms |");
    expect(stdout).toMatch(/\| memory \|  \| \d+\/\d+ \| – \| \d+\/\d+ \|/u);
  });

  it("is also a page to read, and what build servers read", async () => {
    const [page, xml] = [join(folder, "report.md"), join(folder, "report.xml")];
    await cli("memory", "--grep", "crash.", "--markdown", page, "--junit", xml);
    expect(await readFile(page, "utf8")).toContain("- `crash.kill-random`: Not applicable: ");
    const junit = await readFile(xml, "utf8");
    expect(junit).toContain('<testsuite name="conformance of memory"');
    expect(junit).toMatch(
      /<testcase classname="memory.L4" name="crash.kill-random" time="[\d.]+"><skipped message="Not applicable/u,
    );
  });
});
