import { activity, NonRetryableError } from "@perdure/core";
import { inLedger } from "./ledger.ts";

// In a shop these would call a warehouse, a bank, a mail server and a courier, and hand them `idempotencyKey`. Here each
// execution leaves its trace in a ledger. What goes wrong goes wrong in the same way every time.

interface Item {
  readonly sku: string;
  readonly quantity: number;
}

export const reserve = activity(
  { name: "reserve" },
  inLedger(async ({ quantity }: Item) => ({ cents: quantity * 1_250 })),
);

export const release = activity(
  { name: "release" },
  inLedger(async ({ sku }: Item) => ({ released: sku })),
);

/** The bank does not answer to the first attempt. It never takes a card of mallory's. */
export const charge = activity(
  { name: "charge", retry: { maximumAttempts: 4, delay: "200ms", jitter: 0 }, timeout: "10s" },
  inLedger(async ({ customer, cents }: { customer: string; cents: number }, { attempt }) => {
    if (attempt === 1) throw new Error("the bank did not answer");
    if (customer.startsWith("mallory@")) throw new NonRetryableError("the card is stolen");
    return { receipt: `${(cents / 100).toFixed(2)} EUR from ${customer}` };
  }),
);

export const refund = activity(
  { name: "refund", retry: { maximumAttempts: Infinity, delay: "exponential" } },
  inLedger(async ({ customer, cents }: { customer: string; cents: number }) => ({ refunded: cents, to: customer })),
);

export const pack = activity(
  { name: "pack", timeout: "1h" },
  inLedger(async ({ items }: { customer: string; items: number }) => ({ grams: items * 300 })),
);

export const sendMail = activity(
  { name: "send-mail" },
  inLedger(async ({ customer }: { customer: string; about: string }) => ({ sentTo: customer })),
);

export const bookCourier = activity(
  { name: "book-courier" },
  inLedger(async ({ customer, grams }: { customer: string; grams: number }) => ({
    tracking: `${grams} g to ${customer}`,
  })),
);
