import type { AnySignal } from "../define/signal.ts";
import { UsageError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { requireOptions } from "../errors/require-options.ts";
import type { Duration } from "../model/duration.ts";
import type { Execution } from "./execution.ts";
import { openPromise } from "./open-promise.ts";

/** Waits for a signal, or takes the oldest one that nobody has waited for. */
export async function waitFor(
  execution: Execution,
  signal: AnySignal,
  options: { readonly timeout?: Duration } = {},
): Promise<unknown> {
  if (signal?.kind !== "signal") {
    throw new UsageError(
      "invalid-argument",
      "ctx.waitFor and ctx.signals need a signal. Pass what signal(…) returned.",
    );
  }
  requireOptions(options, "ctx.waitFor", { timeout: true });
  const { timeout } = options;
  const timeoutMs =
    timeout === undefined ? null : requireDuration(timeout, `the time-out of the wait for "${signal.name}"`);
  const asked = execution.ask(["SIGNAL_AWAITED"], signal.name);
  if (asked === null) return new Promise(() => {});
  if (execution.owedCancel.isOwed) return execution.owedCancel.refusal();
  const { command, recorded } = asked;
  if (recorded === undefined) {
    const buffered = execution.open.takeSignal(signal.name);
    if (buffered !== undefined) return buffered.payload;
  }
  const dueAt = recorded?.data.dueAt ?? (timeoutMs === null ? null : execution.time() + timeoutMs);
  if (recorded === undefined)
    execution.record("SIGNAL_AWAITED", command, { signal: signal.name, ...(dueAt !== null && { dueAt }) });
  return openPromise((settler) =>
    execution.open.waits.set(command, { command, ...settler, signal: signal.name, dueAt }),
  );
}
