import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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
      "partial",
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
      partial: true,
    });
    expect(report.cases.length).toBeGreaterThan(20);
    for (const one of report.cases.filter(({ status }) => status !== "not-applicable")) {
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
    for (const [args, sentence] of [
      [["memory", "--level", "L2", "--grep", "fence."], "No case of L2 has fence. in its id."],
      [["no-such-backend"], "There is no backend no-such-backend"],
      [["memory", "no-such-backend"], "There is no backend no-such-backend"],
      [[folder], `${folder} is a folder`],
      [["memory", "--level", "L9"], "There is no level L9."],
      [["memory", "--seed", "x"], "--seed x is not a whole number."],
      [["memory", "--seed", "99999999999999999999"], "--seed 99999999999999999999 is not a whole number."],
      [["memory", "--jobs", "0"], "--jobs 0 runs nothing."],
      [["matrix"], "Give the files of some reports"],
      [["mutants", "memory"], "mutants stands alone"],
    ] as const) {
      const { code, stderr } = await cli(...args);
      expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
    }
  });

  it("is written to folders that do not exist yet, and is not what an earlier run has left", async () => {
    const file = join(folder, "new", "report.json");
    expect((await reportOf("memory", "--grep", "setup.info")).cases).toHaveLength(1);
    await cli("memory", "--grep", "setup.info", "--json", file);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ backend: "memory" });
    const { code, stderr } = await cli("memory", "--grep", "setup.info", "--json", folder);
    expect([code, stderr]).toEqual([2, expect.stringContaining("EISDIR")]);
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
    expect(stdout).toMatch(/\| memory \|  \| \d+\/\d+ \| – \| \d+\/\d+ \| – \| – \| in part \|/u);
  });

  it("becomes no table if it is none", async () => {
    for (const [name, content, sentence] of [
      ["text.json", "no json", "text.json is no report"],
      ["object.json", "{}", "object.json is no report"],
      ["newer.json", '{"schema":2}', "newer.json has schema 2, and this command reads schema 1"],
    ] as const) {
      const file = join(folder, name);
      await writeFile(file, content);
      const { code, stderr } = await cli("matrix", file);
      expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)]);
    }
    expect((await cli("matrix", join(folder, "none.json"))).stderr).toContain("none.json cannot be read");
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
