import { requireDuration } from "../errors/require-duration.ts";
import { requireInstant } from "../errors/require-instant.ts";
import type { Duration } from "../model/duration.ts";
import type { Execution } from "./execution.ts";
import { openPromise } from "./open-promise.ts";

/** Waits for a duration, or until an instant. */
export async function sleep(execution: Execution, time: Duration | Date): Promise<void> {
  const until = time instanceof Date ? requireInstant(time, "time of ctx.sleep") : null;
  const ms = until === null ? requireDuration(time as Duration, "time of ctx.sleep") : 0;
  const asked = execution.ask(["TIMER_STARTED"], "");
  if (asked === null) return new Promise(() => {});
  if (execution.owedCancel.isOwed) return execution.owedCancel.refusal();
  const { command, recorded } = asked;
  const dueAt = recorded?.data.dueAt ?? until ?? execution.time() + ms;
  if (recorded === undefined) execution.record("TIMER_STARTED", command, { dueAt });
  await openPromise((settler) => execution.open.timers.set(command, { command, ...settler, dueAt }));
}
