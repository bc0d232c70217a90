import { w1 } from "./w1.ts";
import { w2 } from "./w2.ts";
import { w4 } from "./w4.ts";
import type { Workload } from "./workload.ts";

/** Every workload that can be measured. */
export const workloads: readonly Workload[] = [w1, w2, w4];
