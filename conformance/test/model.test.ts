import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import memory from "../backends/memory.ts";
import { MUTANTS } from "../mutants/index.ts";
import { L5 } from "../src/cases/l5/index.ts";
import { type RunCaseOptions, runCase } from "../src/run-case.ts";
import type { CaseReport } from "../src/report.ts";
import type { BackendUnderTest } from "../src/subject.ts";

let failures: string;
beforeEach(async () => (failures = await mkdtemp(join(tmpdir(), "perdure-failures-"))));
afterEach(() => rm(failures, { recursive: true }));

function mutant(name: string): BackendUnderTest {
  return MUTANTS.find((one) => one.name === name)!.make();
}

async function sequences(subject: BackendUnderTest, options: Partial<RunCaseOptions> = {}): Promise<CaseReport> {
  const one = L5.find(({ id }) => id === "model.sequences")!;
  return (await runCase(subject, one, { seed: 1, failures, ...options })).report;
}

describe("random sequences", () => {
  it("shrink to the few calls that show a bug, as code that can be pasted", async () => {
    const { message = "" } = await sequences(mutant("claim-skips-closed"));
    const calls = message.slice(message.indexOf("  calls:")).split("\n").slice(1);
    // Two clients are set up and the time is read; a run is created, claimed and closed, and in the end claimed in vain.
    expect(calls.length).toBeLessThan(20);
    expect(calls.filter((line) => line.includes("commitTasks"))).toHaveLength(1);
    expect(message).toMatch(/differs {4}answer\.\w+/u);
    expect(message).toMatch(/leaseUntil: start \+ \d+/u);
    expect(message).toMatch(/fast-check seed \d+, path "[\d:]+"/u);
  });

  it("are tried four at a time over a server, and one that fails shrinks alone", async () => {
    const server = { host: "127.0.0.1", port: 1 };
    const well = await sequences({ ...memory, server }, { runs: 10 });
    expect(well).toMatchObject({ status: "passed", counts: { "random inputs": 10 } });
    const { message = "" } = await sequences({ ...mutant("claim-skips-closed"), server });
    expect(message.split("\n").filter((line) => line.includes("commitTasks"))).toHaveLength(1);
    expect(JSON.parse(await readFile(join(failures, "model.sequences.json"), "utf8"))).toHaveLength(1);
  });

  it("are kept when they fail, and tried first", async () => {
    await sequences(mutant("claim-skips-closed"));
    const again = await sequences(mutant("claim-skips-closed"), { seed: 2, runs: 0 });
    expect(again.status).toBe("failed");
    expect(again.counts).toMatchObject({ "random inputs": 1 });
    const well = await sequences(memory, { runs: 3 });
    expect(well).toMatchObject({ status: "passed", counts: { "random inputs": 4, "of them kept from before": 1 } });
    expect(JSON.parse(await readFile(join(failures, "model.sequences.json"), "utf8"))).toHaveLength(1);
  });

  it("say so when what was kept cannot be read", async () => {
    for (const broken of ["[{", "{}", '[{"do":"now"}]']) {
      await writeFile(join(failures, "model.sequences.json"), broken);
      expect((await sequences(memory)).message).toContain("model.sequences.json cannot be read. Delete it");
    }
  });

  it("tell what they have found also where nothing can be kept", async () => {
    const file = join(failures, "a file");
    await writeFile(file, "");
    const { message } = await sequences(mutant("claim-skips-closed"), { failures: join(file, "folder") });
    expect(message).toMatch(/differs {4}answer\.\w+/u);
    expect(message).toContain("  kept       nowhere: Error (ENOTDIR)");
  });

  it("do without time where it cannot be moved", async () => {
    const { advance: _advance, stepBack: _stepBack, ...still } = memory;
    expect(await sequences(still, { runs: 20 })).toMatchObject({ status: "passed" });
    const { advance: _moves, ...broken } = mutant("claim-skips-closed");
    expect(await sequences(broken)).toMatchObject({ status: "failed" });
  });

  it("are no pass when there are none", async () => {
    expect(await sequences(memory, { runs: 0 })).toMatchObject({ status: "failed" });
  });
});
