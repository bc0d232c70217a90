import { activity } from "@perdure/core";
import { inLedger } from "./ledger.ts";
import type { Loaded } from "./load.ts";
import type { Row, SourceRow, Table } from "./table.ts";

/** What the sources have: nobody has asked for a refund. */
const SIZES: Readonly<Record<string, number>> = { orders: 3, refunds: 0, customers: 20 };

/** Up to where an earlier run has loaded. `null`: there was none. */
export const readWatermark = activity(
  { name: "read-watermark" },
  inLedger(async (): Promise<string | null> => null),
);

/** A few rows. Where there are many, they stay in a file or a bucket, and only its name goes through the history. */
export const extract = activity(
  { name: "extract", timeout: "1m" },
  inLedger(async ({ source }: { source: string; since: string | null }): Promise<readonly SourceRow[]> => {
    return Array.from({ length: SIZES[source] ?? 0 }, (_, at) => ({ id: `${source}-${at}`, euros: `${at}.50` }));
  }),
);

export const transform = activity(
  { name: "transform" },
  inLedger(async ({ rows }: { source: string; rows: readonly SourceRow[] }): Promise<readonly Row[]> => {
    return rows.map(({ id, euros }) => ({ id, cents: Math.round(Number(euros) * 100) }));
  }),
);

/** Whether a source has a column that nobody knows. */
export const hasNewColumns = activity(
  { name: "has-new-columns" },
  inLedger(async ({ tables }: { tables: readonly Table[] }) =>
    tables.some(({ rows }) => rows.some((row) => Object.keys(row).join() !== "id,cents")),
  ),
);

export const countDuplicates = activity(
  { name: "count-duplicates" },
  inLedger(async ({ tables }: { tables: readonly Table[] }) => {
    const ids = tables.flatMap(({ rows }) => rows.map(({ id }) => id));
    return ids.length - new Set(ids).size;
  }),
);

/** In words; an empty text if there are none. */
export const findProblems = activity(
  { name: "find-problems" },
  inLedger(async ({ tables }: { tables: readonly Table[] }) => {
    const bad = tables.flatMap(({ rows }) => rows.filter(({ cents }) => !Number.isFinite(cents)));
    return bad.map(({ id }) => `${id} has no amount`).join(", ");
  }),
);

export const publish = activity(
  { name: "publish" },
  inLedger(async ({ loaded }: { loaded: readonly Loaded[] }) => ({ published: loaded.map(({ source }) => source) })),
);
