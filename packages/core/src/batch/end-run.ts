import type { Codec } from "../codec/codec.ts";
import { sealData } from "../codec/envelope.ts";
import { childIncarnation } from "../engine/child-name.ts";
import { dutiesOf, type ChildLeft } from "../engine/duties.ts";
import { closeAfter, closeOf, terminalEvent, type Ending } from "../engine/ending.ts";
import type { ChildIntent, Inheritance, SendIntent } from "../engine/open-command.ts";
import { copyOwed } from "../engine/forked-prefix.ts";
import { readMessage } from "../engine/inbox-message.ts";
import { openEvent } from "../engine/open-event.ts";
import { recordedChild, recordedSend } from "../engine/recorded-intent.ts";
import { StorageError } from "../errors/index.ts";
import { isTerminal, type WorkflowEvent } from "../model/event.ts";
import type { InboxNo, Millis, Seq } from "../model/ids.ts";
import type { ClosedStatus } from "../model/run.ts";
import type { CommitResult, WorkflowCommit } from "../storage/commit.ts";
import type { NewEvent } from "../storage/event.ts";
import type { StoredMessage } from "../storage/message.ts";
import type { ClaimedWorkflowTask } from "../storage/task.ts";
import { createChild, sendIntent } from "./effects.ts";
import { firstThatFit } from "./first-that-fit.ts";
import { loadInheritance } from "./load-inheritance.ts";
import type { StorageAccess } from "./storage-access.ts";

/**
 * Ends a claimed run without running its code: a deadline has passed, somebody terminated it, or its terminal event is recorded
 * and only its duties are left. Recorded intents are carried out first. Answers whether the run is done; `false`: the claim was lost.
 */
export async function endWithoutCode(
  access: StorageAccess,
  codec: Codec,
  task: ClaimedWorkflowTask,
  ending: Ending | null,
): Promise<boolean> {
  const { runId, incarnation, baseSeq } = task.run;
  const stored = task.events ?? (await access.readAll({ runId, incarnation, after: baseSeq }));
  const end = new RunEnd(
    access,
    codec,
    task,
    stored.map((event) => openEvent(codec, event)),
    await loadInheritance(access, codec, task.run, stored[0]),
  );
  return end.run(ending);
}

class RunEnd {
  readonly #access: StorageAccess;
  readonly #codec: Codec;
  readonly #task: ClaimedWorkflowTask;
  readonly #history: readonly WorkflowEvent[];
  readonly #children = new Map<number | null, ChildIntent & { started: boolean }>();
  /** Children of earlier generations, by the seq of their CHILD_SCHEDULED. */
  readonly #inherited = new Map<Seq, ChildLeft>();
  readonly #sends = new Map<number | null, SendIntent>();
  readonly #events: NewEvent[] = [];
  /** Signals that history has, by the id of their message. */
  readonly #signals = new Set<string>();
  #seq: Seq;
  /** Messages up to here are recorded. */
  #seen: InboxNo;
  /** Messages up to here need not be seen by another holder. */
  #acked: InboxNo;
  #lastAt: Millis;

  constructor(
    access: StorageAccess,
    codec: Codec,
    task: ClaimedWorkflowTask,
    history: readonly WorkflowEvent[],
    { children }: Inheritance,
  ) {
    this.#access = access;
    this.#codec = codec;
    this.#task = task;
    this.#history = history;
    this.#seq = task.lastSeq;
    this.#seen = this.#acked = task.inboxAcked;
    this.#lastAt = history.at(-1)?.at ?? 0;
    for (const child of children) this.#inherited.set(child.seq, child);
    for (const event of history) this.#fold(event);
  }

  async run(ending: Ending | null): Promise<boolean> {
    const last = this.#history.at(-1);
    if (this.#task.closed && last !== undefined && isTerminal(last.type))
      return this.#finish(statusOf(last), failureOf(this.#codec, last));
    if (ending === null) {
      throw new StorageError(
        "corrupt",
        `Run "${this.#task.run.runId}" is closed, and its history does not say how it ended. Restore it from a backup.`,
      );
    }
    // What a fork has copied is not its own before the copy is complete.
    if (copyOwed(this.#history) === null) await this.#carryOutIntents();
    return this.#close(ending, this.#task.messages, 0);
  }

  async #carryOutIntents(): Promise<void> {
    for (const [command, child] of this.#children) {
      if (child.started) continue;
      const failure = await createChild(this.#access, this.#codec, this.#task.run, child);
      if (failure === null) this.#append("CHILD_STARTED", command, {});
      else {
        this.#append("CHILD_FAILED", command, {}, { failure: this.#codec.encode(failure) });
        this.#children.delete(command);
      }
    }
    for (const [command, send] of this.#sends) {
      const status = await sendIntent(this.#access, this.#codec, this.#task.run, send);
      this.#append("SIGNAL_DELIVERED", command, { status });
    }
  }

  async #close(ending: Ending, messages: readonly StoredMessage[], round: number): Promise<boolean> {
    for (const message of messages) {
      if (message.no <= this.#seen) continue;
      this.#record(message);
      if (this.#isFull() && !(await this.#flush())) return false;
    }
    const { status, failure } = closeOf(this.#codec, ending);
    const result = await this.#commit({
      events: [...this.#events, terminalEvent(this.#codec, ending, this.#time())],
      ackInbox: this.#seen,
      close: closeAfter(this.#codec, ending, round),
      next: { do: "hold" },
    });
    if (result.status === "unread") return this.#close(ending, result.messages, round + 1);
    if (result.status !== "ok" && result.status !== "duplicate") return false;
    this.#seq += this.#events.length + 1;
    this.#acked = this.#seen;
    return this.#finish(status, failure);
  }

  /** No more than this goes into a commit beside the terminal event. */
  #isFull(): boolean {
    const events = [...this.#events, this.#events.at(-1)!];
    return this.#events.length > 0 && firstThatFit(events, this.#access.storage.info.limits) < events.length;
  }

  async #flush(): Promise<boolean> {
    const { status } = await this.#commit({ events: this.#events, next: { do: "hold" } });
    this.#seq += this.#events.splice(0).length;
    return status === "ok" || status === "duplicate";
  }

  async #finish(status: ClosedStatus, failure: string | undefined): Promise<boolean> {
    const duties = dutiesOf(this.#codec, this.#task.run, { status, failure }, [
      ...this.#children.values(),
      ...this.#inherited.values(),
    ]);
    await Promise.all(duties.map((message) => this.#access.deliver(message)));
    const result = await this.#commit({ events: [], next: { do: "done" } });
    return result.status === "ok" || result.status === "duplicate";
  }

  #commit(
    change: Pick<WorkflowCommit, "events" | "close" | "next"> & { readonly ackInbox?: InboxNo },
  ): Promise<CommitResult> {
    const commitId = this.#access.runtime.id();
    return this.#access.commit({
      kind: "workflow",
      claim: this.#task.claim,
      commitId,
      expectedSeq: this.#seq,
      ackInbox: this.#acked,
      ...change,
    });
  }

  /**
   * Accepted means recorded, also by a run whose code will not see it. A termination is no event: it is acknowledged with the end that it
   * brings, and so is what comes after it. Another holder that gets that again finds the signals among it recorded.
   */
  #record(message: StoredMessage): void {
    const content = readMessage(this.#codec, message.data);
    if (this.#acked === this.#seen && content.kind !== "terminate") this.#acked = message.no;
    this.#seen = message.no;
    if (content.kind === "signal") {
      if (this.#signals.has(message.dedupeId)) return;
      const payload = this.#codec.encode(content.payload);
      this.#append("SIGNAL_RECEIVED", null, { signal: content.signal, id: message.dedupeId }, { payload });
    } else if (content.kind === "cancel" && !this.#isCancelled()) {
      this.#append("CANCEL_REQUESTED", null, { reason: content.reason });
    }
  }

  #isCancelled(): boolean {
    const [first] = this.#history;
    if (first?.type === "WORKFLOW_CONTINUED_AS_NEW" && first.data.cancelRequested !== undefined) return true;
    return [...this.#history, ...this.#events].some(({ type }) => type === "CANCEL_REQUESTED");
  }

  /** Now, but never before an event that is there. */
  #time(): Millis {
    this.#lastAt = Math.max(this.#lastAt, this.#access.clock.latest());
    return this.#lastAt;
  }

  #append(type: string, command: number | null, plain: object, values?: Parameters<typeof sealData>[2]): void {
    this.#events.push({ type, command, at: this.#time(), data: sealData(this.#codec, plain, values) });
  }

  #fold(event: WorkflowEvent): void {
    const { command, seq } = event;
    switch (event.type) {
      case "CHILD_SCHEDULED":
        // In a copy that is not complete: it stays with the fork's source.
        if (event.data.incarnation !== childIncarnation(this.#task.run.incarnation, seq)) return;
        this.#children.set(command, { ...recordedChild(this.#codec, event, null), started: false });
        return;
      case "CHILD_STARTED":
        if (this.#children.has(command)) this.#children.get(command)!.started = true;
        return;
      case "CHILD_COMPLETED":
      case "CHILD_FAILED":
        this.#children.delete(command);
        return;
      case "SIGNAL_RECEIVED":
        this.#signals.add(event.data.id);
        return;
      case "SIGNAL_SENT":
        this.#sends.set(command, recordedSend(this.#codec, event));
        return;
      case "SIGNAL_DELIVERED":
        this.#sends.delete(command);
        return;
      default:
    }
  }
}

function statusOf(terminal: WorkflowEvent): ClosedStatus {
  if (terminal.type === "WORKFLOW_COMPLETED") return "completed";
  return terminal.type === "WORKFLOW_FAILED" ? "failed" : "cancelled";
}

function failureOf(codec: Codec, terminal: WorkflowEvent): string | undefined {
  return terminal.type === "WORKFLOW_FAILED" ? codec.encode(terminal.data.failure) : undefined;
}
