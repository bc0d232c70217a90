import type { Execution } from "../engine/execution.ts";
import { UsageError } from "../errors/index.ts";
import type { InboxNo, Seq } from "../model/ids.ts";
import type { CommitResult, WorkflowCommit } from "../storage/commit.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Inputs } from "./inputs.ts";

/** What a held run decides about a commit; the rest follows from where its history stands. */
export interface Turn extends Pick<WorkflowCommit, "events" | "next"> {
  readonly run?: WorkflowCommit["run"] | undefined;
  readonly close?: WorkflowCommit["close"] | undefined;
}

/** The commits of a held run: one is in flight at a time, and follows from the one before. */
export class Commits {
  readonly #environment: WorkerEnvironment;
  readonly #task: ClaimedWorkflowTask;
  readonly #inputs: Inputs;
  readonly #failed: (error: unknown) => void;
  #durable: Seq;
  #lastCommitId: string | null;
  #inFlight: WorkflowCommit | null = null;

  /** Answers arrive as inputs; `failed` takes what no answer came for. */
  constructor(
    environment: WorkerEnvironment,
    task: ClaimedWorkflowTask,
    inputs: Inputs,
    failed: (error: unknown) => void,
  ) {
    this.#environment = environment;
    this.#task = task;
    this.#inputs = inputs;
    this.#failed = failed;
    this.#durable = task.lastSeq;
    this.#lastCommitId = task.lastCommitId;
  }

  /** History is acknowledged up to here. */
  get durable(): Seq {
    return this.#durable;
  }

  /** The last commit that was acknowledged, of this claim or one before. */
  get lastCommitId(): string | null {
    return this.#lastCommitId;
  }

  get isInFlight(): boolean {
    return this.#inFlight !== null;
  }

  /** The commit in flight gives the claim up: what arrives now is for the next holder. */
  get isLeaving(): boolean {
    return this.#inFlight !== null && this.#inFlight.next.do !== "hold";
  }

  send(execution: Execution, { events, run, close, next }: Turn, ackInbox: InboxNo): void {
    this.#submit({
      kind: "workflow",
      claim: this.#task.claim,
      commitId: this.#environment.runtime.id(),
      expectedSeq: this.#durable,
      events,
      ackInbox,
      // A run that closes takes its tasks with it.
      ...(close === undefined &&
        !execution.taskChanges.isEmpty &&
        execution.taskChanges.take(this.#durable + events.length)),
      ...(run !== undefined && { run }),
      ...(close !== undefined && { close }),
      next,
    });
  }

  /** Sends again what was answered and not applied. */
  resend(commit: WorkflowCommit): void {
    this.#submit(commit);
  }

  /** Takes in the answer to the commit in flight. */
  settle(commit: WorkflowCommit, { status }: CommitResult): void {
    this.#inFlight = null;
    if (status !== "ok" && status !== "duplicate") return;
    this.#durable += commit.events.length;
    this.#lastCommitId = commit.commitId;
  }

  #submit(commit: WorkflowCommit): void {
    this.#inFlight = commit;
    this.#environment.access.commit(commit).then(
      (result) => {
        if (commit.schedule !== undefined) this.#environment.sentTasks.sent(commit.schedule);
        this.#inputs.push({ kind: "committed", commit, result });
      },
      (error: unknown) => {
        if (error instanceof UsageError && commit.next.do !== "block")
          this.#inputs.push({ kind: "refused", message: error.message });
        else this.#failed(error);
      },
    );
  }
}
