import { cells, notApplicableCells, headings, isNumeric, settingsText } from "./cells.ts";
import type { Report } from "./report.ts";

/** The text of RESULTS.md. */
export function resultsPage({
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
  return `# Results

Written by \`--write-results\`; not edited by hand. Absolute numbers are those of one machine on one day: compare ratios.

- ${date.slice(0, 10)}, \`${command}\`
- ${cpu}, ${cores} cores (load ${load.toFixed(1)} at the start), ${platform}; append + fdatasync of 200 bytes: ${Math.round(fdatasyncUs)} µs
- Node ${node}; ${packages.join(", ")}
${servers.map(serverLine).join("")}
${line(headings)}
${line(isNumeric.map((numeric) => (numeric ? "--:" : "---")))}
${[...rows.map((row) => line(cells(row))), ...notApplicable.map((one) => line(notApplicableCells(one)))].join("\n")}
`;
}

function serverLine({ backend, product, settings }: Report["servers"][number]): string {
  return `- ${backend}: ${product}; ${settingsText(settings)}\n`;
}

function line(texts: readonly string[]): string {
  return `| ${texts.join(" | ")} |`;
}
