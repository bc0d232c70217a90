import type { Failure } from "../model/failure.ts";
import type { Seq } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { Execution } from "./execution.ts";

/** The child is created, or was there before by the same command. */
export function childStarted(execution: Execution, command: number): void {
  if (!execution.open.children.has(command)) return;
  execution.append("CHILD_STARTED", command, {});
  execution.open.childStarted(command);
}

/** The child has its result. */
export async function childCompleted(execution: Execution, command: number, output: Payload): Promise<void> {
  if (!execution.open.children.has(command)) return;
  const at = execution.append("CHILD_COMPLETED", command, {}, { output });
  const { codec } = execution.environment;
  await execution.turn(at, () => execution.open.childCompleted(command, codec.decode(output)));
}

/** The child did not complete, or could not be created. */
export async function childFailed(execution: Execution, command: number, failure: Failure): Promise<void> {
  if (!execution.open.children.has(command)) return;
  const { codec } = execution.environment;
  const at = execution.append("CHILD_FAILED", command, {}, { failure: codec.encode(failure) });
  await execution.turn(at, () => execution.open.childFailed(command, failure));
}

/** A child of an earlier generation has closed: nobody awaits it, and nothing is owed to it any more. */
export function inheritedChildClosed(execution: Execution, scheduled: Seq, failure: Failure | null): void {
  if (!execution.open.inherited.has(scheduled)) return;
  const { codec } = execution.environment;
  if (failure === null) execution.append("CHILD_COMPLETED", null, { scheduled });
  else execution.append("CHILD_FAILED", null, { scheduled }, { failure: codec.encode(failure) });
  execution.open.inheritedClosed(scheduled);
}
