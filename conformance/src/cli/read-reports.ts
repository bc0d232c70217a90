import { readFile } from "node:fs/promises";
import type { ConformanceReport } from "../report.ts";

/** The reports in files that `--json` wrote. */
export async function readReports(files: readonly string[]): Promise<readonly ConformanceReport[]> {
  const read = files.map(async (file) => {
    const content = JSON.parse(await readFile(file, "utf8")) as ConformanceReport | readonly ConformanceReport[];
    return [content].flat() as readonly ConformanceReport[];
  });
  return (await Promise.all(read)).flat();
}
