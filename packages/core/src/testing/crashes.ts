import type { AnyActivity } from "../define/activity.ts";
import { UsageError } from "../errors/index.ts";
import type { CommitResult, TaskCommit } from "../storage/commit.ts";
import type { CodeCall } from "../worker/interceptor.ts";
import { nameOf } from "./mocks.ts";
import type { Write } from "./mortal-storage.ts";

/** A crash that was asked for. */
export interface PlannedCrash {
  /** Check it: a crash that never came has proven nothing. */
  readonly happened: boolean;
  /** What the worker was at when it crashed; `null`: it has not. */
  readonly where: string | null;
}

/** Which execution of an activity crashes its worker. */
export interface CrashBeforeOptions {
  /** Counted from now on, attempts and runs alike; the first is 1. Default 1. */
  readonly nth?: number;
}

/** When a crash after an activity comes. */
export interface CrashAfterOptions extends CrashBeforeOptions {
  /** Crash not before history has the attempt's end, and before the worker has heard of it. Default: right after the code. */
  readonly recorded?: boolean;
}

/** When a crash at a write comes. */
export interface CrashAtOptions {
  /** Crash when the storage has taken the write, and before the worker has heard of it. Default: instead of the write. */
  readonly recorded?: boolean;
}

type Moment = "before code" | "after code" | "recorded code" | "before write" | "after write";

class Plan implements PlannedCrash {
  readonly moment: Moment;
  /** Of the activity; `null` for a write. */
  readonly name: string | null;
  where: string | null = null;
  /** The execution whose end must be recorded first. */
  awaited: Pick<CodeCall, "claim" | "command"> | null = null;
  #left: number;

  constructor(moment: Moment, name: string | null, nth: number) {
    this.moment = moment;
    this.name = name;
    this.#left = requireNth(nth);
  }

  get happened(): boolean {
    return this.where !== null;
  }

  /** Whether this is the time that was meant. */
  count(): boolean {
    return --this.#left === 0;
  }
}

/** The crashes that a test has planned, and when they are due. */
export class Crashes {
  readonly #plans: Plan[] = [];

  beforeCode(activity: AnyActivity | string, { nth = 1 }: CrashBeforeOptions): PlannedCrash {
    return this.#add(new Plan("before code", nameOf(activity), nth));
  }

  afterCode(activity: AnyActivity | string, { nth = 1, recorded = false }: CrashAfterOptions): PlannedCrash {
    return this.#add(new Plan(recorded ? "recorded code" : "after code", nameOf(activity), nth));
  }

  atWrite(nth: number, { recorded = false }: CrashAtOptions): PlannedCrash {
    return this.#add(new Plan(recorded ? "after write" : "before write", null, nth));
  }

  /** Whether the worker crashes before this call of an activity's code. */
  isDueBefore(call: CodeCall): boolean {
    return this.#count("before code", call.context.name, () => `before ${describeCall(call)}`);
  }

  /** Whether it crashes after this call. */
  isDueAfter(call: CodeCall): boolean {
    const { name } = call.context;
    let due = this.#count("after code", name, () => `after ${describeCall(call)}`);
    for (const plan of this.#plans) {
      if (plan.moment !== "recorded code" || plan.name !== name || !plan.count()) continue;
      if (!call.isRecorded()) plan.awaited = call;
      else {
        plan.where = `after ${describeCall(call)}`;
        due = true;
      }
    }
    return due;
  }

  isDueAt(write: Write): boolean {
    return this.#count("before write", null, () => `before ${describeWrite(write)}`);
  }

  isDueSince(write: Write, answers: readonly unknown[]): boolean {
    let due = this.#count("after write", null, () => `after ${describeWrite(write)}`);
    if (write.verb !== "commitTasks") return due;
    for (const plan of this.#plans) {
      const { awaited } = plan;
      const commits = write.elements as readonly TaskCommit[];
      if (awaited === null || !hasRecorded(awaited, commits, answers as readonly CommitResult[])) continue;
      plan.awaited = null;
      plan.where = `after ${describeWrite(write)}`;
      due = true;
    }
    return due;
  }

  #add(plan: Plan): PlannedCrash {
    this.#plans.push(plan);
    return plan;
  }

  #count(moment: Moment, name: string | null, describe: () => string): boolean {
    let due = false;
    for (const plan of this.#plans) {
      if (plan.moment !== moment || plan.name !== name || !plan.count()) continue;
      plan.where = describe();
      due = true;
    }
    return due;
  }
}

function requireNth(nth: number): number {
  if (Number.isSafeInteger(nth) && nth >= 1) return nth;
  throw new UsageError(
    "invalid-argument",
    `A crash is planned for the first, second, … time, not for time ${nth}. Count from 1.`,
  );
}

function hasRecorded(
  { claim, command }: NonNullable<Plan["awaited"]>,
  commits: readonly TaskCommit[],
  answers: readonly CommitResult[],
): boolean {
  return commits.some(
    (commit, at) =>
      commit.claim.taskId === claim.taskId &&
      (commit.kind === "activity" ||
        commit.events.some((event) => event.command === command && event.type !== "ACTIVITY_SCHEDULED")) &&
      answers[at]!.status === "ok",
  );
}

function describeCall({ context: { name, runId, attempt } }: CodeCall): string {
  return `attempt ${attempt} of activity "${name}" of run "${runId}"`;
}

function describeWrite({ verb, elements }: Write): string {
  if (verb !== "commitTasks") return `${verb} of ${elements.length}`;
  const commits = (elements as readonly TaskCommit[]).map((commit) => {
    const { runId } = commit.claim;
    if (commit.kind === "activity") return `run "${runId}": an activity's ${commit.next.do}`;
    const types = commit.events.map(({ type }) => type).join(", ");
    return `run "${runId}": ${types === "" ? commit.next.do : types}`;
  });
  return `the commit of ${commits.join("; ")}`;
}
