import type { Codec } from "../codec/codec.ts";
import { stableHash } from "../codec/stable-hash.ts";
import { dutiesOf } from "../engine/duties.ts";
import { cancelMessage, signalMessage } from "../engine/inbox-message.ts";
import type { ChildIntent, SendIntent } from "../engine/open-command.ts";
import { UsageError } from "../errors/index.ts";
import type { Failure } from "../model/failure.ts";
import type { RunHeader } from "../model/run.ts";
import { toFailure } from "../model/to-failure.ts";
import type { NewRun } from "../storage/run.ts";
import type { StorageAccess } from "./storage-access.ts";

/**
 * Creates a child run. Idempotent: named by the parent's incarnation and seq.
 * Answers why it cannot be: another run has its id, or the storage refuses it.
 */
export async function createChild(
  access: StorageAccess,
  codec: Codec,
  parent: RunHeader,
  child: ChildIntent,
): Promise<Failure | null> {
  const { runId, seq } = child;
  try {
    const { run } = await access.create(newChild(access, parent, child));
    if (run.parent?.incarnation === parent.incarnation && run.parent.seq === seq) {
      if (run.status !== "open") await tellAgain(access, codec, runId);
      return null;
    }
  } catch (error) {
    if (error instanceof UsageError) return toFailure(error);
    throw error;
  }
  const message = `A run with the id "${runId}" exists already and is not a child of this command. Choose another id.`;
  return { name: "UsageError", message, code: "run-exists", nonRetryable: true };
}

/**
 * The child has ended already, and has told its parent; but a storage that lost its last moments may have made the parent forget that it had
 * asked for the child, when it heard of the end. Heard twice it changes nothing.
 */
async function tellAgain(access: StorageAccess, codec: Codec, runId: string): Promise<void> {
  const child = await access.storage.getRun(runId);
  if (child === undefined || child.status === "open") return;
  const { status, failure } = child;
  for (const message of dutiesOf(codec, child, { status, ...(failure !== null && { failure }) }, []))
    await access.deliver({ ...message, dedupeId: `${message.dedupeId}:again` });
}

function newChild(access: StorageAccess, parent: RunHeader, child: ChildIntent): NewRun {
  const { runId, incarnation, workflow, version, queue, input, state, parentClose, timeoutMs, seq } = child;
  const at = access.clock.latest();
  const data = { workflow, ...(version !== null && { version }), parentRunId: parent.runId };
  return {
    runId,
    incarnation,
    workflow,
    version,
    queue,
    priority: parent.priority,
    startHash: stableHash(`${parent.incarnation}/${seq}`),
    parent: { runId: parent.runId, incarnation: parent.incarnation, seq },
    parentClose,
    input,
    state,
    attributes: {},
    readyAt: null,
    deadlineAt: timeoutMs === null ? null : at + timeoutMs,
    started: { type: "WORKFLOW_STARTED", command: null, at, data: JSON.stringify(data) },
  };
}

/** Sends a message to another run's inbox. Idempotent: named by this run's incarnation and seq. */
export async function sendIntent(
  access: StorageAccess,
  codec: Codec,
  run: RunHeader,
  { seq, runId, incarnation, signal, payload }: SendIntent,
): Promise<"accepted" | "closed" | "unknown"> {
  const data =
    signal === null
      ? cancelMessage(codec, "cancel", codec.decode(payload) as string | undefined)
      : signalMessage(codec, signal, payload);
  const dedupeId = `${run.incarnation}-${seq}`;
  const { status } = await access.deliver({
    runId,
    ...(incarnation !== undefined && { incarnation }),
    dedupeId,
    external: true,
    data,
  });
  return status === "duplicate" ? "accepted" : status;
}

/** Passes a cancel of the parent on to its child. Idempotent. */
export async function cancelChild(
  access: StorageAccess,
  codec: Codec,
  parent: RunHeader,
  child: Pick<ChildIntent, "runId" | "incarnation">,
): Promise<void> {
  const { runId, incarnation } = child;
  const data = cancelMessage(codec, "cancel", `parent run "${parent.runId}" was cancelled`);
  await access.deliver({
    runId,
    incarnation,
    dedupeId: `parent-cancelled:${parent.incarnation}`,
    external: false,
    data,
  });
}
