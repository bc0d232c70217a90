import { describe, expect, it } from "vitest";
import memory from "../backends/memory.ts";
import type { ConformanceCase } from "../src/case.ts";
import { readArguments } from "../src/cli/arguments.ts";
import { limitOf, runCase } from "../src/run-case.ts";
import { strikesOf } from "../src/strikes.ts";

const hunt: ConformanceCase = {
  id: "crash.planted",
  level: "L4",
  nemesis: "zombies",
  invariants: ["I6"],
  why: "A planted case with a nemesis.",
  async run(t) {
    t.count("zombies", t.strikes.zombies);
  },
};

describe("how often nemeses strike", () => {
  it("is what was asked for, and else the usual or the large numbers", () => {
    const usual = strikesOf({}, false);
    expect(strikesOf({ zombies: 7 }, false)).toEqual({ ...usual, zombies: 7 });
    const large = strikesOf({ zombies: 0 }, true);
    expect(large.zombies).toBe(0);
    expect(large.kills).toBeGreaterThan(usual.kills);
  });

  it("is told on the command line", () => {
    const words = ["memory", "--kills", "10000", "--zombies", "1000", "--server-kills", "5", "--full-disks", "6"];
    const expected = { kills: 10_000, zombies: 1_000, serverKills: 5, fullDisks: 6 };
    expect(readArguments(words)).toMatchObject({ do: "run", options: expected });
    expect(() => readArguments(["memory", "--server-kills", "many"])).toThrow(
      "--server-kills many is not a whole number.",
    );
  });

  it("comes to the case, and stands in its report", async () => {
    const { report } = await runCase(memory, hunt, { seed: 1, zombies: 12 });
    expect(report).toMatchObject({ status: "passed", counts: { zombies: 12 } });
  });

  it("fails a case whose nemesis never struck", async () => {
    for (const one of [hunt, { ...hunt, run: async () => {} }]) {
      const { report } = await runCase(memory, one, { seed: 1, zombies: one === hunt ? 0 : 12 });
      expect(report.status).toBe("failed");
      expect(report.message).toContain("a nemesis that never fired proves nothing");
    }
  });

  it("gives the case more time", () => {
    const once = limitOf(hunt, { zombies: 1 });
    expect(limitOf(hunt, { zombies: 101 })).toBe(once + 100 * (once - limitOf(hunt, { zombies: 0 })));
    expect(limitOf({ ...hunt, timeoutMs: 5 }, { zombies: 0, timeoutMs: 6 })).toBe(5);
  });
});
