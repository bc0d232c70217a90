import type { ClosedStatus, RunStatus, TaskKind } from "@perdure/core/storage";
import type { ActivitySeq, RunName, TaskChoice } from "./names.ts";

// One step of a random sequence, as plain data: what it means in words of the port depends on what the steps before it were
// answered, and is decided by `toCall`. Times are steps from now.

/** Counted from the newest claim. */
type ClaimChoice = number;

/** A lease, half a step shorter: none ends when a step does. */
export type LeaseSteps = 1 | 2 | 3;

export interface NewRunChoice {
  readonly run: RunName;
  readonly hash: 0 | 1;
  readonly readyIn: number | null;
  readonly deadlineIn: number | null;
  readonly child: boolean;
}

export interface TurnChoice {
  readonly kind: "turn";
  readonly claim: ClaimChoice;
  /** How far `expectedSeq` is off. */
  readonly off: -1 | 0 | 1;
  readonly events: number;
  readonly ack: "none" | "all" | "one" | "behind" | "ahead";
  readonly schedule: readonly { readonly seq: ActivitySeq; readonly readyIn: number | null }[];
  readonly cancel: readonly ActivitySeq[];
  readonly fields: readonly ("state" | "attributes" | "baseSeq")[];
  readonly close: { readonly status: ClosedStatus; readonly discardUnread: boolean } | null;
  readonly next: { readonly do: "hold" | "done" } | { readonly do: "park" | "block"; readonly in: number | null };
}

export interface OutcomeChoice {
  readonly kind: "outcome";
  readonly claim: ClaimChoice;
  readonly next:
    | { readonly do: "complete" | "release" }
    | { readonly do: "retry"; readonly in: number; readonly details: boolean };
}

export interface MessageChoice {
  readonly run: RunName;
  readonly incarnation: "any" | "newest" | "another";
  readonly slot: 0 | 1;
  readonly external: boolean;
}

export interface CacheChoice {
  readonly key: RunName;
  readonly expiresIn: number | null;
  readonly mode: "first" | "replace";
  readonly owner: ClaimChoice | null;
}

export interface ClaimOperation {
  readonly do: "claim";
  readonly client: number;
  readonly queues: readonly string[];
  readonly kinds: readonly TaskKind[];
  readonly workflows: readonly string[];
  readonly activities: readonly string[];
  readonly limit: number;
  readonly lease: LeaseSteps;
  readonly inlineEvents: number;
  readonly overdue: boolean;
  /** The worker does not say that it holds what it claimed last, as if the answer had been lost. */
  readonly forgets: boolean;
  readonly tasks: readonly TaskChoice[] | null;
}

/** A call of one client. */
export type CallOperation =
  | { readonly do: "create"; readonly client: number; readonly runs: readonly NewRunChoice[] }
  | ClaimOperation
  | {
      readonly do: "renew";
      readonly client: number;
      readonly claims: readonly ClaimChoice[];
      readonly lease: LeaseSteps;
    }
  | { readonly do: "commit"; readonly client: number; readonly commits: readonly (TurnChoice | OutcomeChoice)[] }
  | { readonly do: "deliver"; readonly client: number; readonly messages: readonly MessageChoice[] }
  | { readonly do: "unblock"; readonly client: number; readonly tasks: readonly TaskChoice[] }
  | { readonly do: "write-cache"; readonly client: number; readonly entries: readonly CacheChoice[] }
  | { readonly do: "read-cache"; readonly client: number; readonly keys: readonly RunName[] }
  | { readonly do: "get-run"; readonly client: number; readonly run: RunName }
  | {
      readonly do: "read-events";
      readonly client: number;
      readonly runs: readonly { readonly run: RunName; readonly after: number; readonly limit: number | null }[];
    }
  | {
      readonly do: "list";
      readonly client: number;
      readonly limit: number;
      readonly status: RunStatus | null;
      readonly workflow: string | null;
      readonly queue: string | null;
      readonly blocked: boolean | null;
      readonly parent: RunName | null;
      readonly attribute: number | null;
      readonly createdAfter: number | null;
    }
  | { readonly do: "stats"; readonly client: number }
  | {
      readonly do: "purge";
      readonly client: number;
      readonly runs: readonly RunName[] | null;
      readonly closedBefore: number;
      readonly aged: boolean;
      readonly status: ClosedStatus | null;
    }
  /** An earlier call once more, as it was. */
  | { readonly do: "again"; readonly client: number; readonly back: number };

/** One step of a random sequence. */
export type Operation =
  | CallOperation
  | { readonly do: "pass"; readonly steps: number }
  | { readonly do: "reopen"; readonly client: number };
