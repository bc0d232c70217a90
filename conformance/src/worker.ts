import type {
  Claim,
  ClaimRequest,
  ClaimResult,
  ClaimedActivityTask,
  ClaimedWorkflowTask,
  CommitResult,
  RenewResult,
  StorageBackend,
  TaskCommit,
  TaskId,
} from "@perdure/core/storage";
import { check, only } from "./assert.ts";
import { claimRequest } from "./build/claim-request.ts";

/** One start of a worker, reduced to its calls. It remembers what it was given, and says so in every claim. */
export class Worker {
  readonly backend: StorageBackend;
  readonly id: string;
  readonly instance: string;
  readonly #holding = new Set<TaskId>();

  constructor(backend: StorageBackend, id: string, instance: string) {
    this.backend = backend;
    this.id = id;
    this.instance = instance;
  }

  request(overrides: Partial<ClaimRequest> = {}): ClaimRequest {
    return claimRequest({
      workerId: this.id,
      workerInstance: this.instance,
      holding: [...this.#holding],
      ...overrides,
    });
  }

  async claim(overrides?: Partial<ClaimRequest>): Promise<ClaimResult> {
    const result = await this.backend.claimTasks(this.request(overrides));
    for (const { claim } of result.tasks) this.#holding.add(claim.taskId);
    return result;
  }

  /** Claims the one workflow task that is there. */
  async take(overrides?: Partial<ClaimRequest>): Promise<ClaimedWorkflowTask> {
    const { tasks } = await this.claim({ kinds: ["workflow"], ...overrides });
    const task = only(tasks, "exactly one workflow task is handed out");
    check(task.kind === "workflow", "a claim of workflow tasks hands out a workflow task");
    return task;
  }

  /** Claims the one activity task that is there. */
  async takeActivity(overrides?: Partial<ClaimRequest>): Promise<ClaimedActivityTask> {
    const { tasks } = await this.claim({ kinds: ["activity"], ...overrides });
    const task = only(tasks, "exactly one activity task is handed out");
    check(task.kind === "activity", "a claim of activity tasks hands out an activity task");
    return task;
  }

  /** Sends one commit. When it ends the claim, or the claim is over, the worker does not hold the task any more. */
  async commit(commit: TaskCommit): Promise<CommitResult> {
    const answer = only(await this.backend.commitTasks([commit]), "one commit has one answer");
    const applied = answer.status === "ok" || answer.status === "duplicate";
    if (answer.status === "lease-lost" || (applied && !answer.held)) this.forget(commit);
    return answer;
  }

  /** Renews one lease. */
  async renew({ claim }: { readonly claim: Claim }, leaseMs = 60_000): Promise<RenewResult> {
    const answer = only(await this.backend.renewLeases([claim], leaseMs), "one renewal has one answer");
    if (answer.status === "lost") this.forget({ claim });
    return answer;
  }

  /** Loses its memory of what it holds, as if the answer of its last claim had never come. */
  forget(...tasks: readonly { readonly claim: Claim }[]): void {
    for (const { claim } of tasks) this.#holding.delete(claim.taskId);
  }
}
