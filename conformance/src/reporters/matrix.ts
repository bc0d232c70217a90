import { LEVELS } from "../level.ts";
import { type ConformanceReport, isPass } from "../report.ts";
import { count } from "./summary.ts";
import { markdownTable } from "./table.ts";

/** Reports as one table: a row for each backend, a column for each level. */
export function matrix(reports: readonly ConformanceReport[]): string {
  const rows = reports.map((report) => [
    report.backend,
    report.store ?? "",
    ...LEVELS.map((level) => cell({ ...report, cases: report.cases.filter((one) => one.level === level) })),
    conforms(report),
    report.capabilities.durability,
    report.runtime,
    report.seed,
  ]);
  return markdownTable([["backend", "store", ...LEVELS, "conforms", "durability", "runtime", "seed"], ...rows]);
}

function conforms(report: ConformanceReport): string {
  if (!isPass(report)) return "no";
  return report.partial === true ? "in part" : "yes";
}

function cell(report: ConformanceReport): string {
  if (report.cases.length === 0) return "–";
  const notApplicable = count(report, "not-applicable");
  const of = report.cases.length - notApplicable;
  return `${count(report, "passed")}/${of}${notApplicable > 0 ? ` (${notApplicable} n/a)` : ""}`;
}
