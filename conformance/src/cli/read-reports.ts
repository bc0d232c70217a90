import { readFile } from "node:fs/promises";
import { printError } from "../print.ts";
import type { ConformanceReport } from "../report.ts";

const SCHEMA: ConformanceReport["schema"] = 1;

/** The reports in files that `--json` wrote. @throws Error about a file that is none */
export async function readReports(files: readonly string[]): Promise<readonly ConformanceReport[]> {
  return (await Promise.all(files.map(reportsIn))).flat();
}

async function reportsIn(file: string): Promise<readonly ConformanceReport[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${printError(cause)}`, { cause });
  }
  const reports = [parse(text)].flat() as readonly Partial<ConformanceReport>[];
  for (const report of reports) {
    const { schema } = Object(report) as { readonly schema?: unknown };
    if (typeof schema !== "number") throw new Error(`${file} is no report, as \`--json\` writes them.`);
    if (schema !== SCHEMA) {
      throw new Error(
        `${file} has schema ${schema}, and this command reads schema ${SCHEMA}: take the version that wrote it.`,
      );
    }
  }
  return reports as readonly ConformanceReport[];
}

/** `null` where it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
