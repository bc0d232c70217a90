/** Version of the port that this package defines. A backend states the one that it was written for. */
export const CONTRACT_VERSION = 1;

/** What a backend says about itself. Constant after `setup()`. */
export interface StorageInfo {
  /** For people and reports: `sqlite`, `postgres`, … */
  readonly name: string;
  readonly contract: number;
  readonly capabilities: Capabilities;
  readonly limits: Limits;
}

/** A verb that may take the caller's own transaction: see `WriteOptions`. */
export type TransactionalVerb = "createRuns" | "deliver" | "commitTasks";

/** Declared abilities. Each fails closed: what is not declared is not relied on. */
export interface Capabilities {
  /**
   * Whose clock decides. `shared`: one clock for all clients. `client`: each client's own, within `errorMs` of one another:
   * leases end and timers fire only that much later.
   */
  readonly clock: { readonly kind: "shared" } | { readonly kind: "client"; readonly errorMs: number };
  /** `one`: only one process may open a store at a time. `many`: any number. */
  readonly processes: "one" | "many";
  /**
   * What an acknowledged write survives. `fsync`: power loss. `replicated`: loss of a machine. `bounded-loss`: all but a
   * declared window. `memory`: nothing, not even the end of the process.
   */
  readonly durability: "fsync" | "replicated" | "bounded-loss" | "memory";
  /** Reach of `subscribe`. `none`: it is absent. `in-process`: hints of this process only. `push`: of every process. */
  readonly wakeups: "none" | "in-process" | "push";
  /** Verbs that take the caller's own transaction as `options.tx`. */
  readonly transactions: readonly TransactionalVerb[];
  /** Whether `listRuns` and `stats` see every write at once. `getRun` always does. */
  readonly listing: "strong" | "eventual";
}

/** Exceeding a limit is a typed error and writes nothing. */
export interface Limits {
  /** UTF-8 bytes of one payload. */
  readonly payloadBytes: number;
  /** Sum of all payloads of one commit. */
  readonly commitBytes: number;
  readonly eventsPerCommit: number;
  /** Activity tasks scheduled by one commit. */
  readonly tasksPerCommit: number;
  /** Elements of one batch of any verb. */
  readonly batch: number;
  /** Tasks of one claim. */
  readonly claimTasks: number;
  /** Events of one page. */
  readonly eventPage: number;
  /** Runs of one purge. */
  readonly purgeRuns: number;
  /** How long after its ack a dedupe id of an open run is remembered, at least. */
  readonly dedupeMs: number;
}

const MIB = 1024 * 1024;

/** Limits of a store that has no narrower ones of its own. */
export const USUAL_LIMITS: Limits = {
  payloadBytes: 16 * MIB,
  commitBytes: 64 * MIB,
  eventsPerCommit: 20_000,
  tasksPerCommit: 10_000,
  batch: 10_000,
  claimTasks: 1_000,
  eventPage: 10_000,
  purgeRuns: 1_000,
  dedupeMs: 24 * 3_600_000,
};
