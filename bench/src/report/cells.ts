import { numberText } from "./number-text.ts";
import type { NotApplicable, Row, Settings } from "./row.ts";

export const headings = ["backend", "", "figure", "median", "min", "max", "n", "unit", "settings"] as const;

/** Columns that hold numbers stand to the right. */
export const isNumeric = headings.map((heading) => ["median", "min", "max", "n"].includes(heading));

/** A row as the texts of its cells. */
export function cells({ backend, workload, figure, median, min, max, n, unit, settings }: Row): readonly string[] {
  const numbers = [median, min, max].map(numberText);
  return [backend, workload, figure, ...numbers, String(n), unit, settingsText(settings)];
}

/** The cells of a row that is not there, with the reason. */
export function notApplicableCells({ backend, workload, reason }: NotApplicable): readonly string[] {
  return headings.map(
    (heading, at) => [backend, workload, "not applicable"][at] ?? (heading === "settings" ? reason : ""),
  );
}

/** `name=value`, one after the other. */
export function settingsText(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}
