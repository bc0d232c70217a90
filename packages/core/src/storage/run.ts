import type { Millis, Seq } from "../model/ids.ts";
import type { Payload } from "../model/payload.ts";
import type { Attributes, ParentLink, RunHeader, RunStatus } from "../model/run.ts";
import type { NewEvent } from "./event.ts";

/** A run to be created, with everything that the creator decided. */
export interface NewRun {
  /** 1 … 255 UTF-8 bytes, byte-exact (I22). */
  readonly runId: string;
  /** Random, `[0-9A-Za-z_-]{16,64}`; a retry of the same call sends the same one. */
  readonly incarnation: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly queue: string;
  readonly priority: number;
  readonly startHash: string;
  readonly parent: ParentLink | null;
  readonly parentClose: RunHeader["parentClose"];
  readonly input: Payload;
  /** The initial state, if the workflow has one. */
  readonly state: Payload | null;
  readonly attributes: Attributes;
  /** When the first turn may be claimed, unless a message comes first; `null` is now. */
  readonly readyAt: Millis | null;
  readonly deadlineAt: Millis | null;
  /** Stored as event 1. */
  readonly started: NewEvent;
}

/**
 * - `created`: run, workflow task and first event are stored.
 * - `existing`: a run with this id and this start hash is there already (also a closed one); nothing was written.
 * - `conflict`: a run with this id and another start hash is there; nothing was written.
 */
export interface CreateRunResult {
  readonly status: "created" | "existing" | "conflict";
  /** Header and status of the run that has the id now. */
  readonly run: RunHeader & { readonly status: RunStatus };
}

/** A run's cold record and, while it is open, what its workflow task looks like right now. */
export interface Run extends RunHeader {
  readonly status: RunStatus;
  readonly closedAt: Millis | null;
  /** The result of a completed run. */
  readonly output: Payload | null;
  /** Why a failed or cancelled run ended. */
  readonly failure: Payload | null;
  readonly state: Payload | null;
  readonly attributes: Attributes;
  readonly lastSeq: Seq;
  /** Id of the last commit that was applied; `null` before the first. */
  readonly lastCommitId: string | null;
  /** `null` once the task is done. */
  readonly task: TaskState | null;
}

/** The workflow task of an open (or closing) run. */
export interface TaskState {
  /** When it may be claimed; `null` while it waits for a message only, or is held (then `leaseUntil` says it). */
  readonly readyAt: Millis | null;
  /** End of the lease (live or expired); `null` when nobody holds it. */
  readonly leaseUntil: Millis | null;
  readonly workerId: string | null;
  /** Number of claims ever made. `0`: never claimed. */
  readonly epoch: number;
  readonly deliveries: number;
  /** The engine's reason for a block, as committed. */
  readonly blocked: Payload | null;
  /** Messages that no event records yet. */
  readonly unread: number;
}

/** A row of {@link StorageBackend.listRuns}: a run without its payloads. */
export interface RunSummary {
  readonly runId: string;
  readonly incarnation: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly queue: string;
  readonly priority: number;
  readonly parent: ParentLink | null;
  readonly status: RunStatus;
  readonly attributes: Attributes;
  readonly createdAt: Millis;
  readonly closedAt: Millis | null;
  /** As in {@link Run.task}. */
  readonly task: TaskState | null;
}

/** All conditions must hold; an absent one does not filter, and an empty list matches nothing. */
export interface RunQuery {
  readonly status?: readonly RunStatus[];
  readonly workflow?: string;
  readonly queue?: string;
  /** `true`: only runs whose task is blocked. `false`: only others. */
  readonly blocked?: boolean;
  readonly parentRunId?: string;
  /** Every named attribute has this very value. */
  readonly attributes?: Attributes;
  /** Inclusive. */
  readonly createdAfter?: Millis;
  /** Exclusive. */
  readonly createdBefore?: Millis;
  /** `cursor` of the page before. */
  readonly cursor?: string;
  /** 1 … 1000. */
  readonly limit: number;
}

/** One page, newest first: by createdAt descending, then runId descending in byte order. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque text for the next page, good after a restart; `null` at the end, also when the last page is full. */
  readonly cursor: string | null;
}
