import { setTimeout as pause } from "node:timers/promises";
import { activity, NonRetryableError } from "@perdure/core";
import { inLedger } from "./ledger.ts";

// In a shop these would call a warehouse, a bank and a courier, and hand them `context.idempotencyKey`. Here each one
// leaves its trace in a ledger.

export const reserveStock = activity(
  { name: "reserve-stock" },
  inLedger(async ({ items }: { items: number }) => {
    if (items > 1_000) throw new NonRetryableError(`The warehouse never has ${items} of them.`);
    return { shelf: `shelf ${items % 7}` };
  }),
);

export const chargeCard = activity(
  { name: "charge-card", retry: { maximumAttempts: 5, delay: "600ms", jitter: 0 }, timeout: "10s" },
  inLedger(async ({ cents }: { cents: number }, { attempt, runId }) => {
    if (cents > 10_000 && attempt === 1) throw new Error("the bank did not answer");
    return { receipt: `${runId}: ${(cents / 100).toFixed(2)} EUR` };
  }),
);

/** Slow: 50 ms for each item. Passing the signal on ends it early when its result is not wanted any more. */
export const packParcel = activity(
  { name: "pack-parcel", timeout: "1m" },
  inLedger(async ({ items }: { items: number }, { signal }) => {
    await pause(items * 50, undefined, { signal });
    return { grams: items * 120 };
  }),
);

export const bookCourier = activity(
  { name: "book-courier" },
  inLedger(async ({ grams }: { grams: number }, { runId }) => ({ tracking: `TRACK-${runId}-${grams}` })),
);

export const handOver = activity(
  { name: "hand-over" },
  inLedger(async ({ tracking }: { tracking: string }) => ({ handedOver: tracking })),
);
