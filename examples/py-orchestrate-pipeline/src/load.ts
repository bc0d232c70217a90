import { setTimeout as pause } from "node:timers/promises";
import { activity } from "@perdure/core";
import { inLedger } from "./ledger.ts";
import type { Table } from "./table.ts";

/** What was loaded. `batches` came later: what was recorded before does not have it. */
export interface Loaded {
  readonly source: string;
  readonly rows: number;
  readonly batches?: number;
}

/** The first version sends row by row, 200 ms for each. Fine with orders; with customers somebody loses patience. */
export const loadRowByRow = activity(
  { name: "load", timeout: "10m" },
  inLedger(async ({ source, rows }: Table, { signal }): Promise<Loaded> => {
    for (const _ of rows) await pause(200, undefined, { signal });
    return { source, rows: rows.length };
  }),
);

/** The mended version sends a thousand at a time. Same name, same input, one more field in what it answers. */
export const loadInBatches = activity(
  { name: "load", timeout: "10m" },
  inLedger(async ({ source, rows }: Table, { signal }): Promise<Loaded> => {
    const batches = Math.ceil(rows.length / 1_000);
    for (let batch = 0; batch < batches; batch++) await pause(100, undefined, { signal });
    return { source, rows: rows.length, batches };
  }),
);
