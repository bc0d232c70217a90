import type { Codec } from "../codec/codec.ts";
import type { Ending } from "../engine/ending.ts";
import { UsageError } from "../errors/index.ts";
import { requireOptions } from "../errors/require-options.ts";
import type { Seq } from "../model/ids.ts";
import type { Logger } from "../model/logger.ts";
import type { RunHeader } from "../model/run.ts";

/** How many events a run may have since its start, or since it last continued as new. `Infinity`: any number. */
export interface HistoryLimits {
  /** A warning is logged at this many, and whenever their number has doubled. Default 10,000. */
  readonly warn: number;
  /** The run fails with code `history-limit`. Default 50,000. */
  readonly fail: number;
}

/** @throws UsageError `invalid-argument` */
export function requireHistoryLimits(limits: Partial<HistoryLimits> = {}): HistoryLimits {
  requireOptions(limits, "historyLimits of createWorker", { warn: true, fail: true });
  const { warn = 10_000, fail = 50_000 } = limits;
  for (const [name, count] of Object.entries({ warn, fail })) {
    if (count === Infinity || (Number.isSafeInteger(count) && count >= 1)) continue;
    throw new UsageError(
      "invalid-argument",
      `historyLimits.${name} of a worker must be a whole number of at least 1 or Infinity, not ${String(count)}. Leave it out for the default.`,
    );
  }
  return { warn, fail };
}

/** Warns, once, when a commit has brought a run to a length that the warning is due at. */
export function warnOfLength(
  logger: Logger,
  { warn, fail }: HistoryLimits,
  { runId, workflow, baseSeq }: RunHeader,
  head: { readonly before: Seq; readonly after: Seq },
): void {
  const events = head.after - baseSeq;
  if (doublings(events, warn) <= doublings(head.before - baseSeq, warn)) return;
  const end = fail === Infinity ? "" : ` and fails at ${fail}`;
  logger.warn(
    `Run "${runId}" of workflow "${workflow}" has ${events} events in its history${end}: every replay reads them all. Let its code return ctx.continueAsNew(…) from time to time; ctx.info.continueAsNewSuggested says when.`,
    { runId, workflow, events },
  );
}

/** The end of a run whose history is too long; `null`: it is not. */
export function tooLong(
  codec: Codec,
  limits: HistoryLimits,
  { runId, workflow, baseSeq }: RunHeader,
  head: Seq,
): Ending | null {
  const length = head - baseSeq;
  if (length < limits.fail) return null;
  const message = `The history of run "${runId}" of workflow "${workflow}" has ${length} events, more than its worker allows. Let its code return ctx.continueAsNew(…) from time to time, or raise historyLimits.fail of the worker.`;
  return { status: "failed", failure: codec.encode({ name: "HistoryLimitError", message, code: "history-limit" }) };
}

/** 0 below the limit, 1 from there on, 2 from twice as many on … */
function doublings(length: number, limit: number): number {
  return length < limit ? 0 : 1 + Math.floor(Math.log2(length / limit));
}
