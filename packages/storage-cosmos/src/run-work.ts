import { randomUUID } from "node:crypto";
import type { Millis, Topic } from "@perdure/core/storage";
import type { Done, Operation } from "./connection.ts";
import type { Activity, Document, Head, Text } from "./documents.ts";
import type { Known } from "./heads.ts";
import { activityId } from "./ids.ts";
import type { Partition } from "./partition.ts";
import { pagesOf, TextWriter } from "./texts.ts";

/** Of a batch: what remains is for pages, and for what a claim reads along. */
const MOST_DELETES = 20;

/** Who has just read the head still finds the page. */
const RETIRE = { operations: [{ op: "set", path: "/ttl", value: 3_600 }] } as const;

interface LoadedActivity {
  readonly document: Activity;
  readonly etag: string;
  isChanged: boolean;
}

/** What one batch is going to change of a run: drawn up on a copy of its head, and written under the head's etag. */
export class RunWork {
  readonly partition: Partition;
  readonly head: Head;
  readonly now: Millis;
  readonly texts: TextWriter;
  /** Documents that are asked for in the same batch. */
  readonly reads: string[] = [];
  /** What is said when it is written. */
  readonly hints: Topic[] = [];
  readonly #etag: string;
  readonly #creates = new Map<string, Document>();
  readonly #activities = new Map<number, LoadedActivity | null>();
  readonly #deletes: string[] = [];
  readonly #retired: string[] = [];
  readonly #gone: ReadonlySet<string>;
  #isHeadChanged = false;

  /** @param gone ids that turned out not to be there */
  constructor(partition: Partition, { head, etag }: Known, now: Millis, gone: ReadonlySet<string> = new Set()) {
    this.partition = partition;
    this.head = structuredClone(head);
    this.now = Math.max(now, head.at);
    this.texts = new TextWriter(partition.key);
    this.#etag = etag;
    this.#gone = gone;
  }

  get isChanged(): boolean {
    return this.#isHeadChanged || [...this.#activities.values()].some((one) => one?.isChanged === true);
  }

  get isHeadChanged(): boolean {
    return this.#isHeadChanged;
  }

  /** To be said when anything of the head was changed. */
  changeHead(): void {
    if (this.#isHeadChanged) return;
    this.#isHeadChanged = true;
    this.head.w = randomUUID();
    this.head.at = this.now;
  }

  create(document: Document): void {
    this.#creates.set(document.id, document);
  }

  creates(id: string): boolean {
    return this.#creates.has(id);
  }

  /** The activity task that has this seq, also one that was completed. */
  async activity(seq: number): Promise<Activity | undefined> {
    const created = this.#creates.get(activityId(seq));
    if (created !== undefined) return created as Activity;
    let loaded = this.#activities.get(seq);
    if (loaded === undefined) {
      const found = await this.partition.read<Activity>(activityId(seq));
      loaded = found === undefined ? null : { ...found, isChanged: false };
      this.#activities.set(seq, loaded);
    }
    return loaded?.document;
  }

  /** To be said when an activity task was changed. */
  changeActivity(activity: Activity): void {
    activity.w = randomUUID();
    const loaded = this.#activities.get(activity.seq);
    if (loaded != null) loaded.isChanged = true;
  }

  /** Takes activity tasks off the list of those that there are. What is not deleted now is garbage from then on. */
  removeActivities(seqs: readonly number[]): void {
    const gone = new Set(seqs);
    this.head.activities = this.head.activities.filter((seq) => !gone.has(seq));
    for (const seq of seqs) {
      if (this.#creates.delete(activityId(seq))) continue;
      this.#activities.delete(seq);
      this.#delete(activityId(seq));
    }
  }

  /** Has a document expire, which nobody who reads now will find named any more. */
  retire(id: string): void {
    if (!this.#gone.has(id)) this.#retired.push(id);
  }

  /** A text of the head in place of another, whose pages nobody needs then. */
  headText(old: Text | null, text: string | null | undefined): Text | null {
    for (const id of pagesOf(old)) this.retire(id);
    return this.texts.writeOrNull(text, 1_000, true);
  }

  /**
   * @returns `done`, with what was read along and the head as it is now; or the id of the document that was not as it was thought to be
   */
  async write(): Promise<
    | { readonly status: "done"; readonly along: readonly Done[] }
    | { readonly status: "refused"; readonly id: string; readonly code: number }
  > {
    const operations = this.#operations();
    const answer = await this.partition.write(operations, this.texts.pages, this.reads);
    if (answer.status === "done") {
      if (this.#isHeadChanged) this.#written = { head: this.head, etag: answer.results[0]!.etag };
      return { status: "done", along: answer.results.slice(operations.length) };
    }
    const refused = operations[answer.at];
    const id = refused === undefined ? "" : "id" in refused ? refused.id : refused.resourceBody.id;
    return { status: "refused", id, code: answer.code };
  }

  /** The head that was written. */
  get written(): Known | undefined {
    return this.#written;
  }

  #written: Known | undefined;

  #operations(): readonly Operation[] {
    const operations: Operation[] = [];
    const { head } = this;
    if (this.#isHeadChanged)
      operations.push({ operationType: "Replace", id: head.id, resourceBody: head, ifMatch: this.#etag });
    for (const resourceBody of this.#creates.values()) operations.push({ operationType: "Create", resourceBody });
    for (const loaded of this.#activities.values()) {
      if (loaded?.isChanged !== true) continue;
      const { document, etag } = loaded;
      operations.push({ operationType: "Replace", id: document.id, resourceBody: document, ifMatch: etag });
    }
    for (const id of this.#retired) operations.push({ operationType: "Patch", id, resourceBody: RETIRE });
    for (const id of this.#deletes) operations.push({ operationType: "Delete", id });
    return operations;
  }

  #delete(id: string): void {
    if (this.#deletes.length < MOST_DELETES && !this.#gone.has(id)) this.#deletes.push(id);
  }
}
