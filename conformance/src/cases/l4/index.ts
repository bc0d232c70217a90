import type { ConformanceCase } from "../../case.ts";
import { killRandom } from "./kill-random.ts";

/** Recovery: whatever dies, whenever it dies, what was acknowledged stands and what was begun ends. */
export const L4: readonly ConformanceCase[] = [killRandom];
