import type { ConformanceCase } from "../../case.ts";
import { forkAnywhere } from "./fork-anywhere.ts";
import { simulationCases } from "./simulation.ts";

/** Model: what chance makes of a storage and the engine over it, against what is known beforehand. */
export const L5: readonly ConformanceCase[] = [...simulationCases, forkAnywhere];
