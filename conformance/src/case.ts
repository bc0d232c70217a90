import type { CaseContext } from "./context.ts";
import type { InvariantTag } from "./invariants.ts";
import type { Level } from "./level.ts";
import type { Requirement } from "./requirement.ts";
import type { ScenarioTag } from "./scenarios.ts";
import type { Strikes } from "./strikes.ts";

/** What the first word of a case's id says that it guards. */
export type CaseGroup =
  | "setup"
  | "create"
  | "claim"
  | "lease"
  | "fence"
  | "commit"
  | "inbox"
  | "timer"
  | "events"
  | "list"
  | "cache"
  | "payload"
  | "ids"
  | "namespace"
  | "purge"
  | "tx"
  | "replay"
  | "crash"
  | "recovery"
  | "model";

/** What a case guards, then what it is: `fence.stale-park`. */
export type CaseId = `${CaseGroup}.${string}`;

/** One promise, and how to see it kept. */
export interface ConformanceCase {
  /** Stable: reports, mutants and people name a case by it. */
  readonly id: CaseId;
  readonly level: Level;
  /** If a backend lacks any of it the case is not applicable, and its {@link twin} runs instead. */
  readonly requires?: Requirement | readonly Requirement[];
  /** The promises that the case proves. */
  readonly invariants: readonly InvariantTag[];
  /** The stories that the case plays. */
  readonly scenarios?: readonly ScenarioTag[];
  /** What goes wrong for users when this does: one sentence or two. */
  readonly why: string;
  /** Where to look when it fails. */
  readonly hint?: string;
  /** Refusals that must be seen at least once: the case calls `t.guard(name)` when it saw one. */
  readonly guards?: readonly string[];
  /** Strikes as often as it is asked to, and each time the case counts it under this name. One that never struck fails the case. */
  readonly nemesis?: keyof Strikes;
  /** The case looks at the whole process: no other runs beside it. */
  readonly alone?: boolean;
  /** For cases that take longer than half a minute somewhere. A {@link nemesis} adds to it. */
  readonly timeoutMs?: number;
  run(t: CaseContext): Promise<void>;
  /** What must hold where the requirement is not declared. */
  readonly twin?: Twin;
}

/** The negative of a case: an ability that is not declared is refused or absent. */
export interface Twin {
  readonly id: CaseId;
  readonly why: string;
  run(t: CaseContext): Promise<void>;
}

/** A twin as a case of its own. */
export function twinOf({ twin, level, invariants }: ConformanceCase): ConformanceCase | undefined {
  return twin && { ...twin, level, invariants, run: (t) => twin.run(t) };
}
