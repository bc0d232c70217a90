import { type CaseReport, type ConformanceReport, silentGuards } from "../report.ts";
import { matrix } from "./matrix.ts";
import { markdownTable } from "./table.ts";

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
  const parts = [`\n## ${report.backend}\n`];
  for (const one of failed) parts.push(failure(one));
  const silent = silentGuards(report);
  if (silent.length > 0) parts.push(`Guards that never fired, so nothing is proved: ${silent.join(", ")}.\n`);
  for (const { id, message = "" } of skipped) parts.push(`- \`${id}\`: ${message}`);
  if (counted.length > 0) parts.push(`\n${markdownTable([["case", "counted", "times"], ...counted])}`);
  if (parts.length === 1) parts.push("Every case applied and passed.");
  return `${parts.join("\n")}\n`;
}

function failure({ id, message = "" }: CaseReport): string {
  return `### ${id}\n\n\`\`\`text\n${message}\n\`\`\`\n`;
}
