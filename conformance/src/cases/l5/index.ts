import type { ConformanceCase } from "../../case.ts";
import { concurrentCase } from "./concurrent.ts";
import { forkAnywhere } from "./fork-anywhere.ts";
import { sequencesCase } from "./sequences.ts";
import { simulationCases } from "./simulation.ts";

/** Model: what chance makes of a storage and the engine over it, against the model and against what is known beforehand. */
export const L5: readonly ConformanceCase[] = [sequencesCase, concurrentCase, ...simulationCases, forkAnywhere];
