import { activity, NonRetryableError, RetryableError } from "@perdure/core";
import { inLedger } from "./ledger.ts";

// In a company these would call an identity provider, a mail server and a CRM, and hand them `idempotencyKey`. Here each
// execution leaves its trace in a ledger. What goes wrong goes wrong in the same way every time.

/** A blocked address stays blocked: no attempt is made after the first. */
export const createAccount = activity(
  { name: "create-account" },
  inLedger(async ({ email }: { email: string }) => {
    if (email.endsWith("@blocked.example")) throw new NonRetryableError(`${email} may not have an account`);
    return { account: `account-of-${email}` };
  }),
);

/** The mail server does not answer to the first two attempts at a welcome: the second comes 250 ms later, the third 500. */
export const sendMail = activity(
  {
    name: "send-mail",
    retry: { maximumAttempts: 5, delay: { initial: "250ms", factor: 2, maximum: "1m" }, jitter: 0 },
    timeout: "10s",
  },
  inLedger(async ({ template }: { email: string; template: "welcome" | "tips" | "survey" }, { attempt }) => {
    if (template === "welcome" && attempt < 3) throw new Error("the mail server did not answer");
  }),
);

export const prepareWorkspace = activity(
  { name: "prepare-workspace" },
  inLedger(async ({ account }: { account: string }) => ({ workspace: `workspace-of-${account}` })),
);

/** The CRM says itself when it wants to be asked again. */
export const addToCrm = activity(
  { name: "add-to-crm" },
  inLedger(async ({ email }: { email: string }, { attempt }) => {
    if (attempt === 1) throw new RetryableError("too many requests", { retryAfter: "600ms" });
    return { contact: `contact-of-${email}` };
  }),
);

export const subscribe = activity(
  { name: "subscribe" },
  inLedger(async ({ email }: { email: string }) => ({ subscriber: email })),
);
