import { type Figure, type Row, type Settings, units } from "./row.ts";
import { median } from "./statistics.ts";

interface Series {
  readonly row: Pick<Row, "backend" | "workload" | "figure" | "settings">;
  readonly values: number[];
}

/** Gathers what the repeats measured. */
export class Samples {
  readonly #series = new Map<string, Series>();

  add(backend: string, workload: string, figure: Figure, value: number, settings: Settings): void {
    if (!Number.isFinite(value)) throw new Error(`${workload} on ${backend} measured ${value} as ${figure}.`);
    const row = { backend, workload, figure, settings };
    const key = JSON.stringify(row);
    const series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, { row, values: [value] });
    else series.values.push(value);
  }

  /** One row for each figure and its settings, in the order in which they were first measured. */
  rows(): readonly Row[] {
    return [...this.#series.values()].map(({ row: { backend, workload, figure, settings }, values }) => ({
      engine: "perdure",
      backend,
      workload,
      figure,
      unit: units[figure],
      median: median(values),
      min: Math.min(...values),
      max: Math.max(...values),
      n: values.length,
      settings,
    }));
  }
}
