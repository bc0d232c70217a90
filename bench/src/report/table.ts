import { cells, headings, isNumeric, notApplicableCells } from "./cells.ts";
import type { Report } from "./report.ts";

/** Rows as an aligned table for a terminal. */
export function table({ rows, notApplicable }: Pick<Report, "rows" | "notApplicable">): string {
  const lines = [headings, ...rows.map(cells), ...notApplicable.map(notApplicableCells)];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => (isNumeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
  return text.join("\n");
}
