import { readFile } from "node:fs/promises";
import { LEVELS } from "../level.ts";
import { type ConformanceReport, isPass } from "../report.ts";
import { count } from "./summary.ts";
import { markdownTable } from "./table.ts";

/** The reports of some files as one table: a row for each backend, a column for each level. */
export async function matrix(files: readonly string[]): Promise<string> {
  const reports: ConformanceReport[] = [];
  for (const file of files) {
    const read = JSON.parse(await readFile(file, "utf8")) as ConformanceReport | readonly ConformanceReport[];
    reports.push(...(Array.isArray(read) ? (read as readonly ConformanceReport[]) : [read as ConformanceReport]));
  }
  const rows = reports.map((report) => [
    report.backend,
    ...LEVELS.map((level) => cell({ ...report, cases: report.cases.filter((one) => one.level === level) })),
    isPass(report) ? "yes" : "no",
    report.capabilities.durability,
    report.runtime,
    report.seed,
  ]);
  return markdownTable([["backend", ...LEVELS, "conforms", "durability", "runtime", "seed"], ...rows]);
}

function cell(report: ConformanceReport): string {
  if (report.cases.length === 0) return "–";
  const notApplicable = count(report, "not-applicable");
  const of = report.cases.length - notApplicable;
  return `${count(report, "passed")}/${of}${notApplicable > 0 ? ` (${notApplicable} n/a)` : ""}`;
}
