import { cells, notApplicableCells, headings, isNumeric, settingsText } from "./cells.ts";
import type { Report } from "./report.ts";

const HEAD = `# Results

Written by \`--write-results\`; not edited by hand. Absolute numbers are those of one machine on one day: compare ratios, and rows of one
part.
`;

/** The text of RESULTS.md with a report in place of the one of the same backends, or after those that are there. */
export function resultsPage(before: string, report: Report): string {
  const parts = new Map(
    before
      .split(/^(?=## )/m)
      .slice(1)
      .map((text) => [text.split("\n", 1)[0]!, text.trim()]),
  );
  const heading = `## ${backendsOf(report).join(", ")}`;
  parts.set(heading, `${heading}\n\n${partOf(report)}`);
  return `${[HEAD.trim(), ...parts.values()].join("\n\n")}\n`;
}

function backendsOf({ rows, notApplicable }: Report): readonly string[] {
  return [...new Set([...rows, ...notApplicable].map(({ backend }) => backend))];
}

function partOf({
  date,
  command,
  node,
  platform,
  cpu,
  cores,
  versions,
  load,
  fdatasyncUs,
  servers,
  rows,
  notApplicable,
}: Report): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const table = [...rows.map((row) => line(cells(row))), ...notApplicable.map((one) => line(notApplicableCells(one)))];
  return `- ${date.slice(0, 10)}, \`${command}\`
- ${cpu}, ${cores} cores (load ${load.toFixed(1)} at the start), ${platform}; append + fdatasync of 200 bytes: ${Math.round(fdatasyncUs)} µs
- Node ${node}; ${packages.join(", ")}
${servers.map(serverLine).join("")}
${line(headings)}
${line(isNumeric.map((numeric) => (numeric ? "--:" : "---")))}
${table.join("\n")}`;
}

function serverLine({ backend, product, settings }: Report["servers"][number]): string {
  return `- ${backend}: ${product}; ${settingsText(settings)}\n`;
}

function line(texts: readonly string[]): string {
  return `| ${texts.join(" | ")} |`;
}
