/** Rows as text; numbers to the right. The first row is the heading. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const right = rows.slice(1).every((one) => typeof one[column] === "number");
          return right ? String(cell).padStart(widths[column]!) : String(cell).padEnd(widths[column]!);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A text that is one line of Markdown, and no HTML in it. */
export function markdownLine(text: string | number): string {
  return String(text).replaceAll(/\s+/gu, " ").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The same as Markdown. */
export function markdownTable(rows: readonly (readonly (string | number)[])[]): string {
  const [heading = [], ...rest] = rows;
  const cell = (text: string | number): string => markdownLine(text).replaceAll("|", "\\|");
  return [heading, heading.map(() => "---"), ...rest].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");
}
