import { type CaseReport, type ConformanceReport, silentGuards } from "../report.ts";
import { matrix } from "./matrix.ts";
import { markdownLine, markdownTable } from "./table.ts";

/** Reports as a page to read: what came out, what did not pass and why, what does not apply. */
export function markdown(reports: readonly ConformanceReport[]): string {
  return [`# Conformance\n`, matrix(reports), ...reports.map(ofBackend)].join("\n");
}

function ofBackend(report: ConformanceReport): string {
  const failed = report.cases.filter(({ status }) => status === "failed");
  const skipped = report.cases.filter(({ status }) => status === "not-applicable");
  const counted = report.cases.flatMap(({ id, counts = {} }) =>
    Object.entries(counts).map(([name, number]) => [`\`${id}\``, name, number] as const),
  );
  const parts = [`\n## ${markdownLine(report.backend)}\n`];
  for (const one of failed) parts.push(failure(one));
  const silent = silentGuards(report);
  if (silent.length > 0) parts.push(`Guards that never fired, so nothing is proved: ${silent.join(", ")}.\n`);
  for (const problem of report.problems ?? []) parts.push(`Beside the cases: ${markdownLine(problem)}\n`);
  for (const { id, message = "" } of skipped) parts.push(`- \`${id}\`: ${message}`);
  if (counted.length > 0) parts.push(`\n${markdownTable([["case", "counted", "times"], ...counted])}`);
  if (parts.length === 1) parts.push("Every case applied and passed.");
  return `${parts.join("\n")}\n`;
}

function failure({ id, message = "" }: CaseReport): string {
  // Longer than any in the message.
  const fence = "`".repeat(Math.max(3, ...[...message.matchAll(/`+/gu)].map(([ticks]) => ticks.length + 1)));
  return `### ${id}\n\n${fence}text\n${message}\n${fence}\n`;
}
