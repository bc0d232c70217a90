import type {
  ActivityCommit,
  ClaimedActivityTask,
  ClaimedWorkflowTask,
  NewActivityTask,
  NewCacheEntry,
  NewEvent,
  NewMessage,
  NewRun,
  WorkflowCommit,
} from "@perdure/core/storage";
import type { Random } from "../random.ts";
import { activityTask, type RunIdentity } from "./activity-task.ts";
import { activityCommit } from "./activity-commit.ts";
import { event } from "./event.ts";
import { newRun } from "./run.ts";
import { closingTurn, finalTurn, turn } from "./workflow-commit.ts";

/** Makes well-formed arguments with random ids; a case names only what it is about. */
export class Builder {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  run(overrides?: Partial<NewRun>): NewRun {
    return newRun(this.#random, overrides);
  }

  runs(count: number, overrides?: Partial<NewRun>): NewRun[] {
    return Array.from({ length: count }, () => this.run(overrides));
  }

  event(overrides?: Partial<NewEvent>): NewEvent {
    return event(overrides);
  }

  events(count: number, overrides?: Partial<NewEvent>): NewEvent[] {
    return Array.from({ length: count }, (_, index) => event({ data: `"event ${index}"`, ...overrides }));
  }

  /** From outside, unless told otherwise. */
  message(runId: string, overrides?: Partial<NewMessage>): NewMessage {
    return { runId, dedupeId: `message-${this.#random.text(10)}`, external: true, data: '"hello"', ...overrides };
  }

  messages(count: number, runId: string, overrides?: Partial<NewMessage>): NewMessage[] {
    return Array.from({ length: count }, (_, index) =>
      this.message(runId, { data: `"message ${index}"`, ...overrides }),
    );
  }

  /** The activity task whose ACTIVITY_SCHEDULED stands at `seq`. */
  activity(run: RunIdentity, seq: number, overrides?: Partial<NewActivityTask>): NewActivityTask {
    return activityTask(run, seq, overrides);
  }

  /** One turn: one event, all messages acknowledged, parked without a time. */
  turn(task: ClaimedWorkflowTask, overrides?: Partial<WorkflowCommit>): WorkflowCommit {
    return turn(this.#random, task, overrides);
  }

  /** A turn that records the end and keeps the claim: duties are left. */
  closing(task: ClaimedWorkflowTask, overrides?: Partial<WorkflowCommit>): WorkflowCommit {
    return closingTurn(this.#random, task, overrides);
  }

  /** A turn that records the end and is done. */
  final(task: ClaimedWorkflowTask, overrides?: Partial<WorkflowCommit>): WorkflowCommit {
    return finalTurn(this.#random, task, overrides);
  }

  /** The end of a hand-out of an activity; completes it unless told otherwise. */
  outcome(task: ClaimedActivityTask, next?: ActivityCommit["next"]): ActivityCommit {
    return activityCommit(this.#random, task, next);
  }

  cacheEntry(overrides?: Partial<NewCacheEntry>): NewCacheEntry {
    return { key: `key-${this.#random.text(10)}`, value: '"cached"', expiresAt: null, mode: "first", ...overrides };
  }

  commitId(): string {
    return this.#random.text(22);
  }
}
