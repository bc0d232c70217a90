import type { ClosedStatus, Millis, ParentClose, Payload, TaskKind } from "@perdure/core/storage";
import type { Generated } from "kysely";

/** Every table. All names carry a prefix, so that a database can be shared with an application. */
export interface Tables {
  perdure_meta: MetaTable;
  perdure_namespaces: NamespacesTable;
  perdure_lanes: LanesTable;
  perdure_runs: RunsTable;
  perdure_events: EventsTable;
  perdure_tasks: TasksTable;
  perdure_activities: ActivitiesTable;
  perdure_inbox: InboxTable;
  perdure_attributes: AttributesTable;
  perdure_cache: CacheTable;
  perdure_pulse: PulseTable;
}

/** Facts about the schema itself: its version. */
interface MetaTable {
  key: string;
  value: string;
}

interface NamespacesTable {
  no: Generated<number>;
  name: string;
  /** Sum of the `discarded` of its runs. */
  discarded: number;
}

/** Tasks that one request can claim alike and that are ordered by time alone: same queue, kind, name and priority. */
interface LanesTable {
  no: Generated<number>;
  ns: number;
  queue: string;
  kind: TaskKind;
  name: string;
  priority: number;
}

/** The cold record of a run. Its number is never used again, and keys everything that belongs to it. */
interface RunsTable {
  no: Generated<number>;
  ns: number;
  id: string;
  incarnation: string;
  workflow: string;
  version: string | null;
  queue: string;
  priority: number;
  start_hash: string;
  parent_id: string | null;
  parent_incarnation: string | null;
  parent_seq: number | null;
  parent_close: ParentClose | null;
  input: Payload;
  state: Payload | null;
  /** A JSON object. */
  attributes: string;
  status: "open" | ClosedStatus;
  output: Payload | null;
  failure: Payload | null;
  created_at: Millis;
  closed_at: Millis | null;
  deadline_at: Millis | null;
  base_seq: number;
  /** As it was when the run closed or its task was done; before that, the task has it. */
  last_seq: number;
  /** As `last_seq`. */
  commit_id: string | null;
  /** Messages that were discarded when it closed. */
  discarded: number;
}

interface EventsTable {
  run: number;
  seq: number;
  type: string;
  command: number | null;
  at: Millis;
  data: Payload;
}

/** The hot record of a task; `seq` is 0 for a run's workflow task. */
interface TasksTable {
  run: number;
  seq: number;
  ns: number;
  lane: number;
  /** When it can be claimed: its ready time, the end of its lease, or the end of its block. Null: never by itself. */
  visible_at: Millis | null;
  deadline_at: Millis | null;
  /** When it can be claimed by anybody to be timed out: not before `visible_at` and `deadline_at`. */
  overdue_at: Generated<Millis | null>;
  /** Who holds it; null when nobody does, which makes every claim of it void. An expired lease stays. */
  instance: string | null;
  worker: string | null;
  epoch: number;
  deliveries: number;
  last_seq: number;
  inbox_last: number;
  inbox_acked: number;
  commit_id: string | null;
  closed: 0 | 1;
  /** The reason of a block. The task is blocked while it has one and nobody holds it. */
  blocked: Payload | null;
}

/** The cold record of an activity task. It outlives the task, so that a repeated completion is known. */
interface ActivitiesTable {
  run: number;
  seq: number;
  input: Payload;
  details: Payload | null;
  attempt: number;
  scheduled_at: Millis;
  /** The commit that completed it. */
  completed_by: string | null;
}

/** Messages, and the remembered ids of acknowledged ones. */
interface InboxTable {
  run: number;
  no: number;
  dedupe_id: string;
  external: 0 | 1;
  at: Millis;
  /** Empty once it is acknowledged. */
  data: Payload;
  acked_at: Millis | null;
}

interface AttributesTable {
  run: number;
  name: string;
  /** Tagged with its type. */
  value: string;
}

interface CacheTable {
  ns: number;
  key: string;
  value: Payload;
  expires_at: Millis | null;
  /** The run that it is deleted with. */
  run: number | null;
}

/** The newest writes of the store that woke somebody, for dialects whose server has no notifications. A few rows. */
interface PulseTable {
  no: Generated<number>;
  /** When it was written. Where the server has no clock, the newest row has the latest time that any write handed out. */
  at: Millis;
  /** What it may have woken, and who says so. */
  topics: string;
}
