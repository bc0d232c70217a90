import { type CaseReport, type CaseStatus, type ConformanceReport, isPass, silentGuards } from "../report.ts";
import { table } from "./table.ts";

/** One line for a case that did not pass, or nothing. */
export function caseLine({ status, id, invariants, message = "" }: CaseReport): string | undefined {
  if (status === "passed") return undefined;
  const word = status === "failed" ? "FAILED" : "n/a   ";
  return `${word}  ${id}  (${invariants.join(" ")})  ${message.split("\n", 1)[0]!.replace(`  [${id}]`, "")}`;
}

/** What came out, one row for each backend, and what is still to be said. */
export function summary(reports: readonly ConformanceReport[]): string {
  const rows = reports.map((report) => [
    report.backend,
    count(report, "passed"),
    count(report, "failed"),
    count(report, "not-applicable"),
    Number((report.ms / 1000).toFixed(1)),
  ]);
  const lines = [table([["backend", "passed", "failed", "not applicable", "seconds"], ...rows])];
  for (const report of reports) {
    const silent = silentGuards(report);
    if (silent.length > 0)
      lines.push(`${report.backend}: guards that never fired, so nothing is proved: ${silent.join(", ")}`);
    for (const problem of report.problems ?? []) lines.push(`${report.backend}: ${problem}`);
    if (count(report, "failed") > 0) lines.push("For all there is to say about a failure, add --grep with its id.");
  }
  const whole = reports.every(({ partial }) => partial !== true);
  const pass = `Every applicable case ${whole ? "passed" : "of this part passed"}.`;
  lines.push(reports.every(isPass) ? pass : "This is not a pass.");
  return lines.join("\n");
}

/** How many cases ended so. */
export function count({ cases }: ConformanceReport, status: CaseStatus): number {
  return cases.filter((one) => one.status === status).length;
}
