import type { Execution } from "../engine/execution.ts";
import { readMessage } from "../engine/inbox-message.ts";
import type { InboxNo, Seq } from "../model/ids.ts";
import type { StoredMessage } from "../storage/message.ts";
import type { WorkerEnvironment } from "./environment.ts";
import { receiveMessage } from "./receive-message.ts";

/** The inbox of a held run: takes its messages in, and knows how far that has come. */
export class Inbox {
  readonly #environment: WorkerEnvironment;
  /** Messages up to here were looked at. */
  #seen: InboxNo;
  /** Messages up to here are events in memory, or dropped. */
  #acked: InboxNo;
  /** Messages up to here are acknowledged. */
  #durable: InboxNo;
  /** Messages in between, and the seq of the event that each has become. */
  #received: { readonly no: InboxNo; readonly seq: Seq }[] = [];
  /** Came after a termination, and waits for its end. */
  readonly #late: StoredMessage[] = [];

  constructor(environment: WorkerEnvironment, acked: InboxNo) {
    this.#environment = environment;
    this.#seen = this.#acked = this.#durable = acked;
  }

  /** What a commit of all that is in memory acknowledges. */
  get acked(): InboxNo {
    return this.#acked;
  }

  /** What a commit acknowledges that records nothing. */
  get durable(): InboxNo {
    return this.#durable;
  }

  get hasLate(): boolean {
    return this.#late.length > 0;
  }

  /** Turns a message into what it means to the execution, once. */
  async receive(execution: Execution, message: StoredMessage): Promise<void> {
    if (message.no <= this.#seen || execution.broken !== null) return;
    this.#seen = message.no;
    // A termination is no event: it is acknowledged with the end that it brings, and so is what comes after it.
    if (execution.ending?.status === "cancelled" && execution.ending.terminated) {
      this.#late.push(message);
      return;
    }
    // Timers and messages merge by time, the message first.
    await execution.fireTimers(message.at - 1);
    const content = readMessage(this.#environment.codec, message.data);
    if (content.kind !== "terminate") {
      this.#acked = message.no;
      this.#received.push({ no: message.no, seq: execution.head + 1 });
    }
    await receiveMessage(this.#environment, execution, content, message.dedupeId);
  }

  /** Accepted means recorded, also after a termination: right before the terminal event, in its commit. */
  async recordLate(execution: Execution): Promise<void> {
    for (const { data, dedupeId } of this.#late.splice(0)) {
      const content = readMessage(this.#environment.codec, data);
      await receiveMessage(this.#environment, execution, content, dedupeId);
    }
  }

  /** What a commit of the events up to `seq` acknowledges: each message in the very commit that has its event (I18). */
  ackedBy(seq: Seq): InboxNo {
    return this.#received.findLast((received) => received.seq <= seq)?.no ?? this.#durable;
  }

  /** Acknowledges, with the run's end, also what is not to become an event. */
  ackAll(): void {
    this.#acked = this.#seen;
  }

  /** A commit that acknowledged so much is durable. */
  committed(acked: InboxNo): void {
    this.#durable = acked;
    this.#received = this.#received.filter(({ no }) => no > acked);
  }
}
