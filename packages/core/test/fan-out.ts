/** What runs with many activities consist of. */
import { activity } from "../src/define/activity.ts";
import { gate } from "./intercepted.ts";

/** An activity that tells who executes it and lasts until `finish` is opened; counts how many do at once. */
export function counted(finish = gate()) {
  const executed: string[] = [];
  const at = new Map<string, number>();
  const most = new Map<string, number>();
  const work = (by: string) =>
    activity({ name: "work" }, async (n: number) => {
      executed.push(`${by} ${n}`);
      at.set(by, (at.get(by) ?? 0) + 1);
      most.set(by, Math.max(most.get(by) ?? 0, at.get(by)!));
      await finish.passed;
      at.set(by, at.get(by)! - 1);
      return n * 2;
    });
  return { executed, most, work, finish };
}

/** A worker's options: room for so many activities at once. */
export function slots(activities: number) {
  return { concurrency: { runs: 100, activities } };
}

/** The numbers from 0 on, so many. */
export function range(length: number): readonly number[] {
  return Array.from({ length }, (_, at) => at);
}
