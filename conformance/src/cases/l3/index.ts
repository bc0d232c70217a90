import type { ConformanceCase } from "../../case.ts";
export const L3: readonly ConformanceCase[] = [];
