import { check } from "../assert.ts";
import type { Acked, LedgerEntry } from "./ledger.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Traffic } from "./traffic.ts";

const PATIENCE_MS = 30_000;

/** Waits until so many more commits of a worker, or of any, were acknowledged. */
export async function getOn(
  lab: Supervisor,
  traffic: Traffic,
  commits: number,
  when: string,
  by?: string,
): Promise<void> {
  let left = commits;
  const isLast = (entry: LedgerEntry): entry is Acked =>
    entry.what === "acked" && (by === undefined || entry.by === by) && --left <= 0;
  const last = await lab.entry(lab.ledger().length, PATIENCE_MS, isLast);
  traffic.check();
  check(last, `${by === undefined ? "the workers get" : `worker ${by} gets`} on by themselves ${when} (I9)`);
}
