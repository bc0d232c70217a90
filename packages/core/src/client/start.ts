import type { StorageAccess } from "../batch/storage-access.ts";
import { canonicalText } from "../codec/canonical-text.ts";
import type { Codec } from "../codec/codec.ts";
import { encodeAs } from "../codec/encode-as.ts";
import { stableHash } from "../codec/stable-hash.ts";
import { requireAttributes } from "../define/require-attributes.ts";
import { requireName } from "../define/require-name.ts";
import type { AnyWorkflow } from "../define/workflow.ts";
import { UsageError } from "../errors/index.ts";
import { requireDuration } from "../errors/require-duration.ts";
import { requireInstant } from "../errors/require-instant.ts";
import { requireOptions } from "../errors/require-options.ts";
import { validateWith } from "../errors/validate.ts";
import type { Duration } from "../model/duration.ts";
import type { Millis } from "../model/ids.ts";
import type { Attributes } from "../model/run.ts";
import type { NewRun } from "../storage/run.ts";

/** How a run is started. */
export interface StartOptions {
  /** The run's id, 1 … 255 UTF-8 bytes. Default: random. Not together with `idempotencyKey`. */
  readonly id?: string;
  /** Any number of callers with the same key and input get one run. The same key with another input is refused. */
  readonly idempotencyKey?: string;
  /** Default: the workflow's. */
  readonly queue?: string;
  /** −9 … 9; each step is worth ten seconds of waiting. Default 0. */
  readonly priority?: number;
  /** Not before this time, or this long from now. */
  readonly startAt?: Date | Duration;
  /** The run fails with code `timed-out` when it is not over by then, counted from its start. Default: the workflow's. */
  readonly timeout?: Duration;
  /** What the run can be listed by. */
  readonly attributes?: Attributes;
  /**
   * An open transaction of yours, on a storage that can join one: the run is there when you commit, and never was if you roll back.
   * Before that, nobody sees it, and its handle finds nothing. The start is not repeated for you: an error has spoiled the transaction.
   */
  readonly tx?: unknown;
}

const OPTIONS = {
  id: true,
  idempotencyKey: true,
  queue: true,
  priority: true,
  startAt: true,
  timeout: true,
  attributes: true,
  tx: true,
} as const;

/**
 * Makes the record of a new run.
 * @throws UsageError `invalid-argument`, `invalid-input`, `not-serializable`, `payload-too-large`, `unknown-workflow`
 */
export async function newRun(
  access: StorageAccess,
  codec: Codec,
  definition: AnyWorkflow | undefined,
  input: unknown,
  options: StartOptions,
): Promise<NewRun> {
  if (definition?.kind !== "workflow") {
    throw new UsageError(
      "unknown-workflow",
      "A start needs a workflow definition, not its name. Pass what workflow(…) returned.",
    );
  }
  requireOptions(options, "client.start", OPTIONS);
  const { name, version, inputSchema, initialState } = definition;
  const checked = inputSchema === null ? input : await validateWith(inputSchema, input, `input of workflow "${name}"`);
  const encoded = encodeAs(codec, checked, "input of workflow", name);
  const { runId, startHash } = identify(access, name, checked, options);
  const attributes = requireAttributes(options.attributes ?? {});
  const now = access.clock.latest();
  const readyAt = options.startAt === undefined ? null : startTime(options.startAt, now);
  const timeoutMs =
    options.timeout === undefined ? definition.timeoutMs : requireDuration(options.timeout, "timeout of client.start");
  const at = Math.max(now, readyAt ?? now);
  const data = {
    workflow: name,
    ...(version !== null && { version }),
    ...(options.attributes !== undefined && { attributes }),
  };
  return {
    runId,
    incarnation: access.runtime.id(),
    workflow: name,
    version,
    queue: options.queue === undefined ? definition.queue : requireName(options.queue, "queue of client.start"),
    priority: requirePriority(options.priority ?? 0),
    startHash,
    parent: null,
    parentClose: null,
    input: encoded,
    state: initialState === null ? null : codec.encode(initialState(codec.decode(encoded))),
    attributes,
    readyAt,
    deadlineAt: timeoutMs === null ? null : at + timeoutMs,
    started: { type: "WORKFLOW_STARTED", command: null, at, data: JSON.stringify(data) },
  };
}

/** The id of a new run, and what tells whether two starts are the same. */
export function identify(
  { runtime }: StorageAccess,
  workflow: string,
  input: unknown,
  { id, idempotencyKey }: StartOptions,
): Pick<NewRun, "runId" | "startHash"> {
  if (id !== undefined && idempotencyKey !== undefined) {
    throw new UsageError(
      "invalid-argument",
      "client.start got both `id` and `idempotencyKey`. Pass one: a key makes the id.",
    );
  }
  if (id === undefined && idempotencyKey === undefined) return { runId: runtime.id(), startHash: runtime.id() };
  const startHash = stableHash(canonicalText([workflow, input]));
  if (id !== undefined) return { runId: requireName(id, "id of a run"), startHash };
  return {
    runId: `key-${stableHash(canonicalText([workflow, requireName(idempotencyKey, "idempotencyKey of a start")]))}`,
    startHash,
  };
}

function startTime(startAt: Date | Duration, now: Millis): Millis {
  if (!(startAt instanceof Date)) return now + requireDuration(startAt, "startAt of client.start");
  return requireInstant(startAt, "startAt of client.start");
}

/** @throws UsageError `invalid-argument` */
export function requirePriority(priority: number): number {
  if (Number.isInteger(priority) && priority >= -9 && priority <= 9) return priority;
  throw new UsageError(
    "invalid-argument",
    `priority must be a whole number from -9 to 9, not ${String(priority)}. Leave it out for 0.`,
  );
}
