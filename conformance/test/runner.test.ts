import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import memory from "../backends/memory.ts";
import { equal } from "../src/assert.ts";
import { CASES } from "../src/cases/index.ts";
import type { ConformanceCase } from "../src/case.ts";
import { INVARIANTS } from "../src/invariants.ts";
import type { Level } from "../src/level.ts";
import { isPass, silentGuards } from "../src/report.ts";
import { runConformance } from "../src/runner.ts";
import type { BackendUnderTest } from "../src/subject.ts";

function planted(overrides: Partial<ConformanceCase>): ConformanceCase {
  return {
    id: "create.planted",
    level: "L1",
    invariants: ["I15"],
    why: "A planted case.",
    hint: "Look here.",
    run: async () => {},
    ...overrides,
  };
}

describe("runConformance", () => {
  it("reports a failing case, and teaches", async () => {
    const failing = planted({
      async run(t) {
        await t.create({ runId: "the run" });
        equal({ found: 1 }, { found: 2 }, "two are found");
      },
    });
    const report = await runConformance(memory, { cases: [failing], seed: 7 });
    expect(isPass(report)).toBe(false);
    const [{ status, message } = { status: undefined, message: "" }] = report.cases;
    expect(status).toBe("failed");
    for (const part of [
      "two are found",
      "{ found: 2 }",
      "{ found: 1 }",
      INVARIANTS.I15,
      "A planted case.",
      "Look here.",
    ]) {
      expect(message).toContain(part);
    }
    expect(message).toContain("perdure-conformance memory --grep create.planted --seed 7");
    expect(message).toMatch(/await client1\.createRuns\(\[ \{ runId: 'the run'/u);
  });

  it("tells of the time that passed between calls", async () => {
    const waits = planted({
      async run(t) {
        await t.time.pass(5_000);
        await t.time.stepBack(1_000);
        equal(1, 2, "one is two");
      },
    });
    const [{ message = "" } = {}] = (await runConformance(memory, { cases: [waits] })).cases;
    expect(message).toMatch(/last calls:\n.*setup\(\);.*\n {4}await advance\(5000\);\n {4}await stepBack\(1000\);$/u);
  });

  it("does not pass when a declared guard never fired", async () => {
    const silent = planted({ guards: ["stale-commit-refused"] });
    const report = await runConformance(memory, { cases: [silent] });
    expect(report.cases).toMatchObject([{ status: "passed" }]);
    expect(silentGuards(report)).toEqual(["stale-commit-refused"]);
    expect(isPass(report)).toBe(false);
  });

  it("counts guards over all cases", async () => {
    const guards = ["refused"];
    const fires = planted({ guards, run: async (t) => (t.guard("refused"), t.guard("refused")) });
    const report = await runConformance(memory, { cases: [fires, planted({ id: "create.silent", guards })] });
    expect(report.guards).toEqual({ refused: 2 });
    expect(isPass(report)).toBe(true);
  });

  it("runs the twin of a case that is not applicable, and never counts the case as passed", async () => {
    const ran: string[] = [];
    const one = planted({
      requires: "push",
      guards: ["never"],
      run: async () => void ran.push("case"),
      twin: { id: "create.twin", why: "The negative.", run: async () => void ran.push("twin") },
    });
    const report = await runConformance(memory, { cases: [one] });
    expect(ran).toEqual(["twin"]);
    expect(report.cases).toMatchObject([
      { id: "create.planted", status: "not-applicable", message: "Not applicable: wakeups are not declared as push." },
      { id: "create.twin", status: "passed" },
    ]);
    expect(silentGuards(report)).toEqual([]);
    const alone = await runConformance(memory, { cases: [planted({ requires: "push" })] });
    expect(isPass(alone)).toBe(false);
  });

  it("fails when the twin fails", async () => {
    const twin = { id: "create.twin", why: "The negative.", run: async () => equal(1, 2, "the twin holds") } as const;
    const report = await runConformance(memory, { cases: [planted({ requires: "push", twin })] });
    expect(report.cases).toMatchObject([{ status: "not-applicable" }, { status: "failed" }]);
    expect(isPass(report)).toBe(false);
  });

  it("ends cases that hang, and those that never let go of the event loop", async () => {
    const hangs = planted({ run: () => new Promise(() => {}) });
    const spins = planted({
      id: "create.spins",
      async run(t) {
        for (;;) await t.backend.now();
      },
    });
    const report = await runConformance(memory, { cases: [hangs, spins], timeoutMs: 50 });
    expect(report.cases.map(({ status }) => status)).toEqual(["failed", "failed"]);
    expect(report.cases[0]?.message).toContain("the case ends within 50 ms");
  });

  it("reports a backend that cannot be opened as failed", async () => {
    const broken: BackendUnderTest = {
      name: "broken",
      open: () => {
        throw new Error("no such server");
      },
    };
    const report = await runConformance(broken, { cases: [planted({})] });
    expect(report.cases).toMatchObject([{ status: "failed" }]);
    expect(report.cases[0]?.message).toContain("no such server");
  });

  it("stops after the first failure when told to", async () => {
    const fails = planted({ run: async () => equal(1, 2, "one is two") });
    const report = await runConformance(memory, { cases: [fails, planted({ id: "create.next" })], bail: true });
    expect(report.cases.map(({ id }) => id)).toEqual(["create.planted"]);
  });

  it("selects by level and by text, keeps the order of the suite, and closes what it opened", async () => {
    const open = new Set<string>();
    const counting: BackendUnderTest = {
      ...memory,
      async open(options) {
        const backend = await memory.open(options);
        open.add(options.namespace);
        return backend;
      },
      destroy: (namespace) => void open.delete(namespace),
    };
    const report = await runConformance(counting, { levels: ["L3"], grep: "fence.stale-", jobs: 5 });
    const expected = CASES.filter(({ id, level }) => level === "L3" && id.startsWith("fence.stale-"));
    expect(report.cases.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    expect(isPass(report)).toBe(true);
    expect([...open]).toEqual([]);
  });

  it("plays four cases of L1 to L3 at once, and those that need all of the machine by themselves", async () => {
    const most: Partial<Record<Level, number>> = {};
    let playing = 0;
    const cases = (["L1", "L3", "L4", "L5"] as const).flatMap((level) =>
      ["a", "b", "c", "d", "e"].map((name) =>
        planted({
          id: `setup.${level}-${name}`,
          level,
          async run() {
            playing += 1;
            most[level] = Math.max(most[level] ?? 0, playing);
            await sleep(5);
            playing -= 1;
          },
        }),
      ),
    );
    await runConformance(memory, { cases });
    expect(most).toEqual({ L1: 4, L3: 4, L4: 1, L5: 1 });
  });

  it("makes the same choices for the same seed, and others for another", async () => {
    const seen: string[] = [];
    const one = planted({ run: async (t) => void seen.push(t.make.run().runId) });
    for (const seed of [3, 3, 4]) await runConformance(memory, { cases: [one], seed });
    expect(seen[0]).toBe(seen[1]);
    expect(seen[0]).not.toBe(seen[2]);
  });
});

describe("the cases", () => {
  it("have ids of their own, reasons, and known invariants", () => {
    const ids = CASES.flatMap(({ id, twin }) => (twin === undefined ? [id] : [id, twin.id]));
    expect(new Set(ids).size).toBe(ids.length);
    for (const { why, invariants } of CASES) {
      expect(why.length).toBeGreaterThan(20);
      expect(invariants.length).toBeGreaterThan(0);
      for (const tag of invariants) expect(INVARIANTS).toHaveProperty(tag);
    }
  });
});
