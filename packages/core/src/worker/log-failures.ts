import type { Codec } from "../codec/codec.ts";
import { sentence } from "../errors/sentence.ts";
import { failureToError } from "../model/failure-to-error.ts";
import type { Failure } from "../model/failure.ts";
import type { Logger } from "../model/logger.ts";
import type { Payload } from "../model/payload.ts";
import type { RunHeader } from "../model/run.ts";

/** An attempt that has failed, and what comes of it. */
interface FailedAttempt {
  readonly runId: string;
  readonly workflow: string;
  readonly name: string;
  readonly attempt: number;
  /** `null`: any number. */
  readonly maximumAttempts: number | null;
  /** Until the next attempt; `null`: there is none. */
  readonly delayMs: number | null;
}

/** Tells of every attempt that fails: also of one that is tried again, so that nobody learns of an outage by its last. */
export function logFailedAttempt(logger: Logger, failed: FailedAttempt, failure: Failure): void {
  const { runId, workflow, name, attempt, maximumAttempts, delayMs } = failed;
  const of = maximumAttempts === null ? "" : ` of ${maximumAttempts}`;
  const next =
    delayMs === null ? "There is no other: its workflow gets the error." : `The next is due in ${delayMs} ms.`;
  logger.warn(
    `Attempt ${attempt}${of} of activity "${name}" of run "${runId}" failed: ${sentence(failure.message)} ${next}`,
    {
      code: "attempt-failed",
      workflow,
      runId,
      activity: name,
      attempt,
      ...(delayMs === null && { error: failureToError(failure) }),
    },
  );
}

/** Tells of a run that has failed. */
export function logFailedRun(logger: Logger, codec: Codec, { runId, workflow }: RunHeader, failure: Payload): void {
  const { message, ...rest } = codec.decode(failure) as Failure;
  logger.warn(
    `Run "${runId}" of workflow "${workflow}" failed: ${sentence(message)} Its history has more; handle.retry() goes on from there with code of today.`,
    { code: "run-failed", workflow, runId, error: failureToError({ message, ...rest }) },
  );
}
