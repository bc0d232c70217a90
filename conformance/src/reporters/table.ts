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

/** The same as Markdown. */
export function markdownTable(rows: readonly (readonly (string | number)[])[]): string {
  const [heading = [], ...rest] = rows;
  return [heading, heading.map(() => "---"), ...rest].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
