import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { ConformanceReport } from "../report.ts";
import { junit } from "../reporters/junit.ts";
import { markdown } from "../reporters/markdown.ts";
import type { ReportFiles } from "./arguments.ts";

/**
 * Makes the files empty: hours later it would be late to learn that one cannot be written, and a run that dies must not leave the report
 * of an earlier one.
 */
export async function emptyReports({ json, junit: xml, markdown: page }: ReportFiles): Promise<void> {
  for (const file of [json, xml, page]) {
    if (file === undefined) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "");
  }
}

/** Writes reports in every form that was asked for. As JSON, one report stands alone and several are a list. */
export async function writeReports(reports: readonly ConformanceReport[], files: ReportFiles): Promise<void> {
  const json = JSON.stringify(reports.length === 1 ? reports[0] : reports, null, 2);
  if (files.json !== undefined) await writeFile(files.json, `${json}\n`);
  if (files.junit !== undefined) await writeFile(files.junit, junit(reports));
  if (files.markdown !== undefined) await writeFile(files.markdown, markdown(reports));
}
