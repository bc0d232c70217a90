import { createChild, sendIntent } from "../batch/effects.ts";
import { endWithoutCode } from "../batch/end-run.ts";
import { firstThatFit } from "../batch/first-that-fit.ts";
import type { StorageAccess } from "../batch/storage-access.ts";
import {
  copyOwed,
  type ForkedFrom,
  type ForkedPrefix,
  forkedPrefix,
  type Resend,
  stateAfter,
} from "../engine/forked-prefix.ts";
import { openEvent } from "../engine/open-event.ts";
import { recordedChild, recordedSend } from "../engine/recorded-intent.ts";
import type { EventOf } from "../model/event.ts";
import type { Seq } from "../model/ids.ts";
import type { CommitResult, WorkflowCommit } from "../storage/commit.ts";
import type { NewEvent, StoredEvent } from "../storage/event.ts";
import type { StoredMessage } from "../storage/message.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import type { WorkerEnvironment } from "./environment.ts";
import { refusedByStorage } from "./refused-by-storage.ts";
import type { Lease } from "./lease.ts";
import type { Release } from "./release.ts";

/**
 * Gives a fork that does not have all of its history the rest: answers the task as if it had been claimed with it. What is copied
 * follows from the source, so `lastSeq` says how far a worker got that died of it; FORKED comes last. A source that was purged fails
 * the fork. `null`: there is nothing to copy.
 */
export function copyHistory(
  environment: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  lease: Lease,
): Promise<ClaimedWorkflowTask | Release> | null {
  const from = task.events === null ? null : copyOwed(task.events);
  return from === null ? null : copy(environment, task, lease, from);
}

async function copy(
  environment: WorkerEnvironment,
  task: ClaimedWorkflowTask,
  lease: Lease,
  from: ForkedFrom,
): Promise<ClaimedWorkflowTask | Release> {
  const source = await readSource(environment.access, from);
  if (source !== null) return new Copy(environment, task, lease).run(from, source);
  const { access, codec } = environment;
  const failure = codec.encode({
    name: "UsageError",
    message: `Run "${from.runId}", which run "${task.run.runId}" is a fork of, is not there any more: it was purged before its history could be copied. Fork runs that are not about to be purged.`,
    code: "run-not-found",
  });
  return { to: (await endWithoutCode(access, codec, task, { status: "failed", failure })) ? "done" : "lost" };
}

/** The events up to the fork; `null` when they are not there. */
async function readSource(
  { storage }: StorageAccess,
  { runId, incarnation, seq }: ForkedFrom,
): Promise<readonly StoredEvent[] | null> {
  const events: StoredEvent[] = [];
  while (events.length < seq) {
    const limit = Math.min(seq - events.length, storage.info.limits.eventPage);
    const [page] = await storage.readEvents([{ runId, incarnation, after: events.length, limit }]);
    if (page!.events.length === 0) return null;
    events.push(...page!.events);
  }
  return events;
}

class Copy {
  readonly #environment: WorkerEnvironment;
  readonly #task: ClaimedWorkflowTask;
  readonly #lease: Lease;
  /** All that is recorded. */
  readonly #history: StoredEvent[];
  #messages: readonly StoredMessage[];

  constructor(environment: WorkerEnvironment, task: ClaimedWorkflowTask, lease: Lease) {
    this.#environment = environment;
    this.#task = task;
    this.#lease = lease;
    this.#history = [...task.events!];
    this.#messages = task.messages;
  }

  async run(from: ForkedFrom, source: readonly StoredEvent[]): Promise<ClaimedWorkflowTask | Release> {
    const { run } = this.#task;
    const { attributes = {} } = this.#open<"WORKFLOW_STARTED">(1).data;
    const prefix = forkedPrefix(source, from, { ...run, attributes });
    const { events, baseSeq, resends } = prefix;
    const { limits } = this.#environment.access.storage.info;
    for (
      let rest = events.slice(this.#history.length - 1);
      rest.length > 0;
      rest = events.slice(this.#history.length - 1)
    ) {
      if (!(await this.#commit(rest.slice(0, firstThatFit(rest, limits))))) return { to: "lost" };
    }
    for (const resend of resends) {
      if (!(await this.#sendAgain(resend))) return { to: "lost" };
    }
    if (!(await this.#commit([this.#forked(from)], this.#fields(prefix)))) return { to: "lost" };
    return {
      ...this.#task,
      run: { ...run, baseSeq },
      lastSeq: this.#history.length,
      deliveries: 0,
      blocked: null,
      messages: this.#messages,
      events: this.#history.slice(baseSeq),
    };
  }

  /** Answers whether the run is still this worker's. */
  async #commit(events: readonly NewEvent[], run?: WorkflowCommit["run"]): Promise<boolean> {
    const { access, runtime } = this.#environment;
    const { claim, inboxAcked } = this.#task;
    const commit: WorkflowCommit = {
      kind: "workflow",
      claim,
      commitId: runtime.id(),
      expectedSeq: this.#history.length,
      events,
      ackInbox: inboxAcked,
      ...(run !== undefined && { run }),
      next: { do: "hold" },
    };
    let result: CommitResult;
    do result = await access.commit(commit);
    // An older claim of this worker's had its last commit in the same batch.
    while (result.status === "invalid" && result.code === "second-commit-in-batch");
    if (result.status === "lease-lost") return false;
    if (result.status !== "ok" && result.status !== "duplicate")
      throw refusedByStorage(`to copy the history of run "${claim.runId}"`, result);
    for (const event of events) this.#history.push({ seq: this.#history.length + 1, ...event });
    this.#messages = result.messages;
    return result.held;
  }

  /** History has them as delivered: nobody else sends them. */
  async #sendAgain({ child, sends }: Resend): Promise<boolean> {
    const { access, codec } = this.#environment;
    if (child !== null && !(await this.#createChild(child))) return false;
    for (const sent of sends) {
      const intent = recordedSend(codec, this.#open<"SIGNAL_SENT">(sent));
      if (!this.#lease.proven) return false;
      await sendIntent(access, codec, this.#task.run, intent);
    }
    return true;
  }

  async #createChild(scheduled: Seq): Promise<boolean> {
    const { access, codec, registry } = this.#environment;
    const event = this.#open<"CHILD_SCHEDULED">(scheduled);
    const initial = registry.workflow(event.data.workflow)?.initialState?.(event.data.input);
    const intent = recordedChild(codec, event, initial === undefined ? null : codec.encode(initial));
    if (!this.#lease.proven) return false;
    await createChild(access, codec, this.#task.run, intent);
    return true;
  }

  #open<T extends "WORKFLOW_STARTED" | "CHILD_SCHEDULED" | "SIGNAL_SENT">(seq: Seq): EventOf<T> {
    return openEvent(this.#environment.codec, this.#history[seq - 1]!) as EventOf<T>;
  }

  #forked({ runId, incarnation, seq, origin }: ForkedFrom): NewEvent {
    const data = JSON.stringify({ fromRunId: runId, fromIncarnation: incarnation, fromSeq: seq, origin });
    const at = Math.max(this.#history.at(-1)!.at, this.#environment.access.clock.latest());
    return { type: "FORKED", command: null, at, data };
  }

  /** The fields of the row as they were at the fork. */
  #fields({ baseSeq, attributes }: ForkedPrefix): WorkflowCommit["run"] {
    const state = this.#state(baseSeq);
    return { attributes, ...(baseSeq > 0 && { baseSeq }), ...(state !== undefined && { state }) };
  }

  #state(baseSeq: Seq): string | undefined {
    const { codec, registry } = this.#environment;
    const { workflow, input } = this.#task.run;
    const { initialState } = registry.workflow(workflow)!;
    try {
      return stateAfter(codec, this.#history.slice(baseSeq), input, (value) => initialState?.(value));
    } catch {
      // The code cannot make its own initial state: it fails by itself when it is run.
      return undefined;
    }
  }
}
