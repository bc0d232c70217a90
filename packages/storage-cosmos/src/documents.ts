import type { Attributes, ClosedStatus, Millis, RunHeader, Seq, TaskKind } from "@perdure/core/storage";

/** A text: itself, or where it lies in pages of the same partition, in order. */
export type Text = string | { readonly pages: readonly PagePlace[] };

export interface PagePlace {
  readonly id: string;
  /** Which of the texts of that page. */
  readonly at: number;
  /** About how large the page is, in KB. */
  readonly kb: number;
}

/** What every document has. */
interface Stored {
  readonly id: string;
  readonly pk: string;
  readonly _etag?: string;
}

interface Lease {
  readonly workerId: string;
  readonly workerInstance: string;
  readonly until: Millis;
}

/** A task that is not done, in a head or in an activity task: what claims look for. */
interface Live {
  /** The namespace. Only live tasks have it: the first of what all indexes of claims are ordered by. */
  live: string;
  lane: string;
  kind: TaskKind;
  queue: string;
  priority: number;
  /** As it was asked for; null: not by itself. */
  readyAt: Millis | null;
  /** From then on less the error of clocks everybody may claim it. Absent: never by itself. */
  visibleAt?: Millis;
  /** The order of claiming. */
  rank?: number;
  epoch: number;
  lease: Lease | null;
  /** The instance of the lease. */
  holder?: string;
  deliveries: number;
}

/** The hot document of a run: every write of the run replaces it. */
export interface Head extends Stored, Omit<Live, "live"> {
  readonly t: "head" | "gone";
  readonly ns: string;
  /** Random, of the last write: by it a write whose answer was lost is known. */
  w: string;
  /** When that was: no later write has an earlier time. */
  at: Millis;
  live?: string;
  readonly runId: string;
  readonly incarnation: string;
  readonly workflow: string;
  readonly version: string | null;
  readonly startHash: string;
  readonly parent: RunHeader["parent"];
  readonly parentClose: RunHeader["parentClose"];
  readonly parentRunId?: string;
  readonly input: Text;
  readonly createdAt: Millis;
  readonly deadlineAt: Millis | null;
  /** The deadline as claims see it. */
  readonly dueAt?: Millis;
  /** From when on less the error of clocks anybody may time the run out. */
  overdueAt?: Millis;
  readonly listKey: string;
  /** For filters. */
  attrs: readonly string[];
  status: "open" | ClosedStatus;
  closedAt: Millis | null;
  output: Text | null;
  failure: Text | null;
  state: Text | null;
  attributes: Attributes;
  baseSeq: Seq;
  lastSeq: Seq;
  lastCommitId: string | null;
  discarded: number;
  /** First seqs of the newest frames, ascending, if they are small: what a claim may bring along. */
  recent: readonly Seq[];
  blocked: Text | null;
  isBlocked: boolean;
  inboxAcked: number;
  inboxLast: number;
  /** Seqs of the activity tasks that there are. A document of any other is garbage. */
  activities: readonly Seq[];
}

/** The events of one commit. */
export interface Frame extends Stored {
  readonly t: "frame";
  readonly first: Seq;
  readonly last: Seq;
  readonly events: readonly {
    readonly type: string;
    readonly command: number | null;
    readonly at: Millis;
    readonly data: Text;
  }[];
}

export interface Message extends Stored {
  readonly t: "message";
  readonly no: number;
  readonly at: Millis;
  readonly dedupeId: string;
  readonly data: Text;
}

/** That a message with this dedupe id was accepted. */
export interface Mark extends Stored {
  readonly t: "mark";
}

export interface Activity extends Stored, Omit<Live, "live"> {
  readonly t: "activity";
  w: string;
  /** Absent once it was completed. */
  live?: string;
  readonly seq: Seq;
  readonly runId: string;
  readonly incarnation: string;
  readonly workflow: string;
  readonly activity: string;
  readonly input: Text;
  readonly scheduledAt: Millis;
  attempt: number;
  details: Text | null;
  lastCommitId: string | null;
}

/** Long texts. Staged ones expire until the batch that they belong to makes them stay. */
export interface TextPage extends Stored {
  readonly t: "page";
  readonly texts: readonly string[];
  readonly ttl?: number;
}

/** A cache entry that a run's claim has written, or what keeps it from being written. */
export interface OwnedEntry extends Stored {
  readonly t: "entry";
  readonly key: string;
  readonly isDead: boolean;
  readonly value: Text;
  readonly expiresAt: Millis | null;
  readonly ttl?: number;
}

/** A document that a run's claim is going to create, or has. */
export interface Promised {
  readonly partition: string;
  readonly id: string;
}

/** The document of a cache key, in a partition of its own. */
export interface CacheDocument extends Stored {
  readonly t: "cache";
  readonly key: string;
  /** What stands if nothing was promised, or the promise is not kept. */
  readonly value: Text | null;
  readonly expiresAt: Millis | null;
  /** Where the entry is, if its run's claim has written it: newest first. The first that is kept counts. */
  readonly promises: readonly Promised[];
  readonly ttl?: number;
}

export type Document = Head | Frame | Message | Mark | Activity | TextPage | OwnedEntry | CacheDocument;
