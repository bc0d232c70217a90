import type { ConformanceCase } from "../case.ts";
import { INVARIANTS, type InvariantTag } from "../invariants.ts";

/** Every promise in words and the cases that prove it, as Markdown with a heading for each. */
export function promises(cases: readonly ConformanceCase[]): string {
  const tags = Object.keys(INVARIANTS) as InvariantTag[];
  return tags.map((tag) => promise(tag, cases)).join("\n\n");
}

function promise(tag: InvariantTag, cases: readonly ConformanceCase[]): string {
  const proving = cases.filter(({ invariants }) => invariants.includes(tag));
  const byLevel = Map.groupBy(proving, ({ level }) => level);
  const lists = [...byLevel].map(([level, some]) => `- ${level}: ${some.map(({ id }) => `\`${id}\``).join(", ")}`);
  return [`### ${tag}`, "", INVARIANTS[tag], "", ...lists].join("\n");
}
