/** What a group of cases needs and proves; see the package's README. */
export type Level = "L1" | "L2" | "L3" | "L4" | "L5";

/** From what every storage needs to what only some can be asked for. */
export const LEVELS: readonly Level[] = ["L1", "L2", "L3", "L4", "L5"];

/** One phrase for each level, for people. */
export const LEVEL_TITLES: Readonly<Record<Level, string>> = {
  L1: "contract",
  L2: "replay",
  L3: "claiming",
  L4: "recovery",
  L5: "model",
};
