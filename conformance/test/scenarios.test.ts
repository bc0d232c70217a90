import { expect, it } from "vitest";
import { CASES } from "../src/cases/index.ts";
import { selectCases } from "../src/runner.ts";
import { type ScenarioTag, SCENARIOS } from "../src/scenarios.ts";

const TAGS = Object.keys(SCENARIOS) as readonly ScenarioTag[];
/** Hooks and schedules. */
const NOT_YET: readonly ScenarioTag[] = ["S10", "S18"];

it("every scenario is played by the engine over the backend", () => {
  const played = new Set(CASES.filter(({ level }) => level === "L2").flatMap(({ scenarios = [] }) => scenarios));
  expect(TAGS.filter((tag) => !played.has(tag))).toEqual(NOT_YET);
});

it("a scenario's tag selects its cases, and no others", () => {
  expect(selectCases({ grep: "S2" }).map(({ id }) => id)).toEqual(["replay.same-input-twice"]);
});
