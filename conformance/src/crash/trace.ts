import { ConformanceFailure } from "../failure.ts";
import type { LedgerEntry } from "./ledger.ts";

const LINES = 80;

/** Adds to a failure what the workers wrote down of the run that it is about. */
export function withTrace(entries: readonly LedgerEntry[], runId: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ConformanceFailure)) throw error;
    const lines = entries.filter(({ run }) => run === runId).map(line);
    const trace = [`${error.message}. What its workers wrote down`, ...lines.slice(-LINES)].join("\n    ");
    throw new ConformanceFailure(trace, error.compared ? error : undefined);
  }
}

function line(entry: LedgerEntry): string {
  const who = `${entry.by}:`;
  switch (entry.what) {
    case "claimed":
      return `${who} claimed, epoch ${entry.epoch}, at ${entry.now} until ${entry.until}`;
    case "renewed":
      return `${who} renewed, epoch ${entry.epoch}, until ${entry.until}`;
    case "acked":
      return `${who} committed, epoch ${entry.epoch}, after ${entry.after}: ${entry.events.join(" ") || "no event"}; ${entry.next}`;
    case "refused":
      return `${who} was refused ${entry.verb}, epoch ${entry.epoch}`;
    case "began":
      return `${who} began ${entry.activity}, command ${entry.key.slice(entry.key.lastIndexOf("-") + 1)}, attempt ${entry.attempt}: ${entry.execution}`;
    case "took":
      return `${who} took ${entry.key}, attempt ${entry.attempt}, from checkpoint ${entry.from}: ${entry.execution}`;
    case "saved":
      return `${who} saved checkpoint ${entry.done} of ${entry.key}`;
    case "ended":
      return `${who} ended ${entry.execution}`;
    case "failed":
      return `${who} could not ${entry.verb}: ${entry.message}`;
    case "stalled":
      return `${who} stalled for ${entry.ms} ms`;
    case "frozen":
      return `${who} stopped`;
  }
}
