import type { ConformanceCase } from "../case.ts";
import { L1 } from "./l1/index.ts";
import { L2 } from "./l2/index.ts";
import { L3 } from "./l3/index.ts";
import { L4 } from "./l4/index.ts";
import { L5 } from "./l5/index.ts";

/** Every case of the suite. */
export const CASES: readonly ConformanceCase[] = [...L1, ...L2, ...L3, ...L4, ...L5];
