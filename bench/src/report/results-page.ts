import { cells, headings, isNumeric } from "./cells.ts";
import type { Report } from "./report.ts";

/** The text of RESULTS.md. */
export function resultsPage({ date, command, node, platform, cpu, cores, versions, fdatasyncUs, rows }: Report): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# Results

Written by \`--write-results\`; not edited by hand. Absolute numbers are those of one machine on one day: compare ratios.

- ${date.slice(0, 10)}, \`${command}\`
- ${cpu}, ${cores} cores, ${platform}; append + fdatasync of 200 bytes: ${Math.round(fdatasyncUs)} µs
- Node ${node}; ${packages.join(", ")}

${line(headings)}
${line(isNumeric.map((numeric) => (numeric ? "--:" : "---")))}
${rows.map((row) => line(cells(row))).join("\n")}
`;
}
