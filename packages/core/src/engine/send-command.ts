import { encodeAs } from "../codec/encode-as.ts";
import type { AnySignal } from "../define/signal.ts";
import { requireName } from "../define/require-name.ts";
import { UsageError } from "../errors/index.ts";
import { validateNow } from "../errors/validate.ts";
import type { Execution } from "./execution.ts";
import { openPromise } from "./open-promise.ts";

/** Another run: any that has the id, or one incarnation of it. */
export interface Recipient {
  readonly runId: string;
  readonly incarnation?: string;
}

/**
 * Sends a signal to another run.
 * @throws UsageError `run-not-found`, `run-closed`, `invalid-input`
 */
export async function send(execution: Execution, to: Recipient, signal: AnySignal, payload: unknown): Promise<void> {
  if (signal?.kind !== "signal") {
    throw new UsageError(
      "invalid-argument",
      `Run "${execution.run.runId}" sent something that is no signal. Pass what signal(…) returned.`,
    );
  }
  const checked =
    signal.schema === null ? payload : validateNow(signal.schema, payload, `payload of signal "${signal.name}"`);
  await post(execution, to, signal.name, checked);
}

/** Asks another run to cancel. */
export async function sendCancel(execution: Execution, to: Recipient, reason: string | undefined): Promise<void> {
  await post(execution, to, null, reason);
}

async function post(execution: Execution, to: Recipient, signal: string | null, value: unknown): Promise<void> {
  const { codec } = execution.environment;
  requireName(to.runId, "id of the run that a signal is for");
  const encoded = encodeAs(codec, value, "payload of signal", signal ?? "cancel");
  const asked = execution.ask(["SIGNAL_SENT"], signal ?? "");
  if (asked === null) return new Promise(() => {});
  const { command, recorded } = asked;
  if (recorded === undefined) execution.record("SIGNAL_SENT", command, { signal, ...to }, { payload: encoded });
  const seq = recorded?.seq ?? execution.head;
  // An intent that is repeated says what it said the first time.
  const { runId, incarnation } = recorded?.data ?? to;
  const payload = recorded === undefined ? encoded : codec.encode(recorded.data.payload);
  const status = await openPromise((settler) => {
    execution.open.sends.set(command, { command, ...settler, seq, runId, incarnation, signal, payload });
    if (execution.owedCancel.isOwed) execution.owedCancel.add(settler.reject);
  });
  if (status === "accepted" || signal === null) return;
  if (status === "closed") {
    throw new UsageError(
      "run-closed",
      `Run "${runId}" is closed and takes no signal "${signal}". Catch this error if that may happen.`,
    );
  }
  throw new UsageError("run-not-found", `There is no run "${runId}" to take signal "${signal}". Check the id.`);
}
