import type { AnySignal } from "../define/signal.ts";
import { UsageError } from "../errors/index.ts";
import { validateWith } from "../errors/validate.ts";
import type { Execution } from "./execution.ts";
import { openPromise } from "./open-promise.ts";

/**
 * Sends a signal to another run.
 * @throws UsageError `run-not-found`, `run-closed`, `invalid-input`
 */
export async function send(execution: Execution, runId: string, signal: AnySignal, payload: unknown): Promise<void> {
  const checked = signal.schema === null ? payload : await validateWith(signal.schema, payload, `payload of signal "${signal.name}"`);
  await post(execution, runId, signal.name, checked);
}

/** Asks another run to cancel. */
export async function sendCancel(execution: Execution, runId: string, reason: string | undefined): Promise<void> {
  await post(execution, runId, null, reason);
}

async function post(execution: Execution, runId: string, signal: string | null, payload: unknown): Promise<void> {
  const encoded = execution.environment.codec.encode(payload);
  const asked = execution.ask(["SIGNAL_SENT"], signal ?? "");
  if (asked === null) return new Promise(() => {});
  const { command, recorded } = asked;
  if (recorded === undefined) execution.record("SIGNAL_SENT", command, { signal, runId }, { payload: encoded });
  const seq = recorded?.seq ?? execution.head;
  const status = await openPromise((settler) =>
    execution.open.sends.set(command, { command, ...settler, seq, runId, signal, payload: encoded }),
  );
  if (status === "accepted" || signal === null) return;
  if (status === "closed") {
    throw new UsageError("run-closed", `Run "${runId}" is closed and takes no signal "${signal}". Catch this error if that may happen.`);
  }
  throw new UsageError("run-not-found", `There is no run "${runId}" to take signal "${signal}". Check the id.`);
}
