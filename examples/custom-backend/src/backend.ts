/**
 * A storage in one file, for any number of processes of one machine, made of one idea:
 *
 *     The store is a journal of requests. Whoever wants to write appends what he asks for, then reads on to the end of the journal
 *     and applies all that stands there, one request after the other. What `apply` answers to his own is his answer.
 *
 * All processes apply the same requests in the same order, so all have the same state, and nobody needs a lock. `apply` decides
 * and writes in one go: that alone makes every verb atomic (I3), every fence exact (I6), every id unique (I15). Elsewhere a
 * transaction does that, or a script in the server.
 *
 * Read it from top to bottom: first the class, which is the journal; then the state; then the verbs, in the order of the port.
 */
import {
  type FSWatcher,
  closeSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  watch,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import {
  type ActivityCommit,
  type Attributes,
  type CacheEntry,
  type CacheKey,
  type Claim,
  type ClaimRequest,
  type ClaimResult,
  type ClaimedTask,
  type CommitResult,
  CONTRACT_VERSION,
  type CreateRunResult,
  type DeliverResult,
  type EventPage,
  type EventRequest,
  type InboxNo,
  type Millis,
  type NewActivityTask,
  type NewCacheEntry,
  type NewMessage,
  type NewRun,
  type Page,
  PURGE_AGE_MS,
  type Payload,
  type PurgeRequest,
  type PurgeResult,
  type QueueStats,
  type RenewResult,
  type Run,
  type RunHeader,
  type RunQuery,
  type RunStatus,
  type RunSummary,
  type StorageBackend,
  StorageError,
  type StorageInfo,
  type StorageStats,
  type StoredEvent,
  type StoredMessage,
  type Subscription,
  type TaskCommit,
  type TaskId,
  type TaskKind,
  type TaskState,
  type Topic,
  type UnblockResult,
  type WorkflowCommit,
  type WriteCacheResult,
  type WriteOptions,
  checkCommit,
  checkNamespace,
  compareBytes,
  copyHeader,
  decodeCursor,
  encodeCursor,
  verbChecks,
  workflowTaskId,
} from "@perdure/core/storage";

/** Declare what you have, and no more: each word is tested, both ways. */
const info: StorageInfo = {
  name: "journal",
  contract: CONTRACT_VERSION,
  capabilities: {
    clock: { kind: "shared" }, // one machine, one clock
    processes: "many",
    durability: "fsync",
    wakeups: "push", // whoever appends wakes all that watch the file, in every process
    transactions: [],
    listing: "strong",
  },
  limits: {
    payloadBytes: 1024 * 1024,
    commitBytes: 8 * 1024 * 1024,
    eventsPerCommit: 2_000,
    tasksPerCommit: 2_000,
    batch: 2_000,
    claimTasks: 200,
    eventPage: 1_000,
    purgeRuns: 500,
    dedupeMs: 24 * 3_600_000, // at least: this storage forgets a dedupe id with its run
  },
};

const checks = verbChecks(info);

/** The first line of a journal says its version. A newer one is refused (I25). */
const VERSION = 1;

/** A line of the journal: what somebody asked for, and when. */
interface Entry {
  readonly namespace: string;
  /** Who asked: unique, so that he finds his answer. */
  readonly by: string;
  readonly at: Millis;
  readonly verb: Verb;
  readonly request: unknown;
}

export interface JournalOptions {
  /** The file. Its folder has to be there. */
  readonly path: string;
  /** Runs of one namespace know nothing of another's in the same file. */
  readonly namespace?: string;
  /** The machine's clock, for tests. */
  readonly clock?: { now(): Millis };
}

/** A storage in one file: see the top of this page. */
export function journal(options: JournalOptions): StorageBackend {
  return new Journal(options);
}

class Journal implements StorageBackend {
  readonly info: StorageInfo = info;
  readonly #path: string;
  readonly #namespace: string;
  readonly #clock: { now(): Millis };
  readonly #state: State = emptyState();
  readonly #me = crypto.randomUUID();
  readonly #watchers = new Set<FSWatcher>();
  #calls = 0;
  #file: number | undefined;
  #closed = false;
  /** So much of the file is applied; so much of it is surely on disk. */
  #applied = 0;
  #synced = 0;
  #syncing: Promise<void> | undefined;
  /** Why this client is of no use any more. */
  #failure: StorageError | undefined;
  /** The newest time that was answered, and how far the machine's clock is behind it because somebody set it back. */
  #latest: Millis = 0;
  #behind = 0;

  constructor({ path, namespace = "default", clock = Date }: JournalOptions) {
    checkNamespace(namespace);
    this.#path = path;
    this.#namespace = namespace;
    this.#clock = clock;
  }

  // Ten processes may do this at once: ten first lines say the same as one (I25).
  async setup(): Promise<void> {
    if (this.#closed) throw closedError();
    this.#file ??= openJournal(this.#path);
    await this.#read(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const watcher of this.#watchers) watcher.close();
    if (this.#file === undefined) return;
    await this.#onDisk().catch(() => undefined); // calls that have begun are answered
    closeSync(this.#file);
  }

  async now(): Promise<Millis> {
    return this.#read((_, now) => now);
  }

  // Each verb begins with its check, before anything is written (I29): what throws here never reaches the journal.

  async createRuns(runs: readonly NewRun[], options?: WriteOptions): Promise<readonly CreateRunResult[]> {
    checks.createRuns(runs, options);
    return this.#write("createRuns", runs);
  }

  async getRun(runId: string): Promise<Run | undefined> {
    checks.getRun(runId);
    return this.#read((state) => getRun(state, runId));
  }

  async listRuns(query: RunQuery): Promise<Page<RunSummary>> {
    checks.listRuns(query);
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    return this.#read((state) => listRuns(state, query, after));
  }

  async readEvents(requests: readonly EventRequest[]): Promise<readonly EventPage[]> {
    checks.readEvents(requests);
    return this.#read((state) => requests.map((request) => readEvents(state, request)));
  }

  async claimTasks(request: ClaimRequest): Promise<ClaimResult> {
    checks.claimTasks(request);
    this.#catchUp();
    const now = this.#now();
    const { chosen, next } = chooseTasks(this.#state, request, now);
    // An idle worker asks again and again: only a claim that takes something needs a line in the journal.
    if (chosen.length === 0) return this.#answer({ now, tasks: [], nextReadyAt: next });
    return this.#write("claimTasks", request);
  }

  async renewLeases(claims: readonly Claim[], leaseMs: number): Promise<readonly RenewResult[]> {
    checks.renewLeases(claims, leaseMs);
    return this.#write("renewLeases", { claims, leaseMs });
  }

  async commitTasks(commits: readonly TaskCommit[], options?: WriteOptions): Promise<readonly CommitResult[]> {
    checks.commitTasks(commits, options);
    return this.#write("commitTasks", commits);
  }

  async unblockTasks(taskIds: readonly TaskId[]): Promise<readonly UnblockResult[]> {
    checks.unblockTasks(taskIds);
    return this.#write("unblockTasks", taskIds);
  }

  async deliver(messages: readonly NewMessage[], options?: WriteOptions): Promise<readonly DeliverResult[]> {
    checks.deliver(messages, options);
    return this.#write("deliver", messages);
  }

  async readCache(keys: readonly CacheKey[]): Promise<readonly (CacheEntry | undefined)[]> {
    checks.readCache(keys);
    return this.#read((state, now) => keys.map((key) => unexpired(state, key, now)?.entry));
  }

  async writeCache(entries: readonly NewCacheEntry[]): Promise<readonly WriteCacheResult[]> {
    checks.writeCache(entries);
    return this.#write("writeCache", entries);
  }

  async stats(): Promise<StorageStats> {
    return this.#read(stats);
  }

  async purgeRuns(request: PurgeRequest): Promise<PurgeResult> {
    checks.purgeRuns(request);
    return this.#write("purgeRuns", request);
  }

  // Inventing a hint costs a look, losing one some seconds: so whatever is appended wakes whoever waits for anything.
  async subscribe(onWake: (topic: Topic) => void): Promise<Subscription> {
    this.#open();
    const topics = new Map<string, Topic>();
    const watcher = watch(this.#path, { persistent: false }, () => {
      for (const topic of topics.values()) onWake(topic);
    });
    watcher.on("error", () => watcher.close());
    this.#watchers.add(watcher);
    const nameOf = (topic: Topic): string => `${topic.of} ${topic.of === "queue" ? topic.queue : topic.runId}`;
    return {
      add: (topic) => void topics.set(nameOf(topic), topic),
      delete: (topic) => void topics.delete(nameOf(topic)),
      close: async () => watcher.close(),
    };
  }

  /** Appends a request, applies all that stands in the journal by then, and answers when that is on disk (I4). */
  async #write<V extends Verb>(verb: V, request: Request<V>): Promise<Answer<V>> {
    const file = this.#open();
    this.#catchUp(); // nothing is written to a journal that this code cannot read
    const by = `${this.#me} ${++this.#calls}`;
    const entry: Entry = { namespace: this.#namespace, by, at: this.#now(), verb, request };
    // One write at the end of the file: that of another process comes before or after it, never between. What stands before may be
    // half a line, of a process that was killed in its write: hence the first line break. Nobody was told that it was written.
    const line = Buffer.from(`\n${JSON.stringify(entry)}\n`);
    if (trouble(() => writeSync(file, line)) < line.length) throw unavailable("The disk is full.");
    const answer = this.#catchUp(by);
    if (answer === undefined) throw corrupt(`${this.#path} lacks what was appended to it: has it been replaced?`);
    return this.#answer(answer as Answer<V>);
  }

  /** Answers from all that stands in the journal. */
  async #read<T>(look: (state: State, now: Millis) => T): Promise<T> {
    this.#catchUp();
    return this.#answer(look(this.#state, this.#now()));
  }

  /** An answer is a copy, which may be changed, and is given when all that it rests on is on disk. */
  async #answer<T>(answer: T): Promise<T> {
    const copy = structuredClone(answer);
    await this.#onDisk();
    return copy;
  }

  /** Applies what was appended since the last time, by whomever. Answers with the answer to `mine`. */
  #catchUp(mine?: string): unknown {
    const file = this.#open();
    let answer: unknown;
    for (const line of trouble(() => this.#newLines(file))) {
      const entry = parseLine(line);
      if (entry === undefined) continue;
      if ("version" in entry) this.#checkVersion(entry.version);
      else if (entry.namespace === this.#namespace) {
        const result = apply(this.#state, entry);
        if (entry.by === mine) answer = result;
      }
    }
    return answer;
  }

  /** Whole lines after those that are applied. A line whose end is not there yet is being written. */
  #newLines(file: number): readonly string[] {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - this.#applied));
    const length = readSync(file, bytes, 0, bytes.length, this.#applied);
    const end = bytes.subarray(0, length).lastIndexOf("\n") + 1;
    this.#applied += end;
    return bytes.toString("utf8", 0, end).split("\n");
  }

  #checkVersion(version: number): void {
    if (version <= VERSION) return;
    const what = `${this.#path} was written by newer code, version ${version}. Update this program.`;
    throw (this.#failure = new StorageError("schema-version", what));
  }

  /** Resolves when all that was applied so far is on disk. Who comes while a sync runs shares the next one: group commit. */
  async #onDisk(): Promise<void> {
    const goal = this.#applied;
    while (this.#synced < goal) await (this.#syncing ??= this.#sync());
  }

  async #sync(): Promise<void> {
    const goal = this.#applied;
    try {
      await sync(this.#file!);
      this.#synced = goal;
    } catch (cause) {
      // The system says so once, and forgets what it could not write: another sync would seem to succeed.
      throw (this.#failure = corrupt(`${this.#path} could not be synced to disk.`, cause));
    } finally {
      this.#syncing = undefined;
    }
  }

  /** The storage's clock: the machine's, but it never goes back, and goes on where that was set back (I24). */
  #now(): Millis {
    const machine = this.#clock.now();
    this.#behind = Math.max(this.#behind, this.#latest - machine, this.#state.now - machine);
    return (this.#latest = machine + this.#behind);
  }

  #open(): number {
    if (this.#closed) throw closedError();
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#file !== undefined) return this.#file;
    throw new StorageError("misconfigured", "The storage was not set up. Call setup() before anything else.");
  }
}

const sync = promisify(fdatasync);

/** Opens a journal, and begins it if nobody has. */
function openJournal(path: string): number {
  try {
    const file = openSync(path, "a+");
    if (fstatSync(file).size > 0) return file;
    writeSync(file, `${JSON.stringify({ version: VERSION })}\n`);
    const folder = openSync(dirname(path), "r"); // its name, too, has to survive a loss of power
    fsyncSync(folder);
    closeSync(folder);
    return file;
  } catch (cause) {
    throw new StorageError("misconfigured", `${path} cannot be opened. Give a path that can be written.`, { cause });
  }
}

/** A line as it was written; undefined for an empty one, and for half of one. */
function parseLine(line: string): Entry | { readonly version: number } | undefined {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}

function closedError(): StorageError {
  return new StorageError("misconfigured", "The storage was closed. Open a new one.");
}

function corrupt(message: string, cause?: unknown): StorageError {
  return new StorageError("corrupt", `${message} Open it anew, and see what is there.`, { cause });
}

/** May succeed later: the caller repeats the identical call. */
function unavailable(message: string, cause?: unknown): StorageError {
  return new StorageError("unavailable", message, { cause });
}

/** Trouble with the disk is a StorageError (I29). */
function trouble<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unavailable("The journal cannot be read or written.", cause);
  }
}

/** All that a namespace consists of. It follows from the journal, and can be thrown away at any time. */
interface State {
  /** The newest time of the journal. */
  now: Millis;
  readonly runs: Map<string, RunRecord>;
  /** Live tasks of both kinds. A task that is done is gone. */
  readonly tasks: Map<TaskId, Task>;
  readonly cache: Map<CacheKey, CacheRecord>;
  discardedMessages: number;
}

/** A run: what stays when its task is done. */
interface RunRecord {
  header: RunHeader;
  status: RunStatus;
  closedAt: Millis | null;
  output: Payload | null;
  failure: Payload | null;
  state: Payload | null;
  attributes: Attributes;
  readonly events: StoredEvent[];
  lastCommitId: string | null;
  /** Messages after the ack. */
  inbox: StoredMessage[];
  inboxLast: InboxNo;
  /** Dedupe ids of all messages that were ever accepted. */
  readonly accepted: Set<string>;
  /** The last commit of each completed activity task, until the run is done. */
  readonly completed: Map<TaskId, string>;
}

/** What is claimed. A held task has a `leaseUntil`, live or expired; all else has none. */
interface Task {
  readonly kind: TaskKind;
  readonly taskId: TaskId;
  readonly run: RunRecord;
  readonly queue: string;
  /** Of the workflow or the activity: who has no code for it does not get it. */
  readonly name: string;
  readonly priority: number;
  /** When a task that nobody holds may be claimed; null: not without help. */
  readyAt: Millis | null;
  leaseUntil: Millis | null;
  workerId: string | null;
  workerInstance: string | null;
  epoch: number;
  deliveries: number;
  /** Of a workflow task: the reason of a block, until a commit lifts it. */
  blocked: Payload | null;
  /** Of an activity task. */
  activity: (Omit<NewActivityTask, "readyAt"> & { readonly scheduledAt: Millis }) | null;
  /** Of an activity task; a run has its own. */
  lastCommitId: string | null;
}

interface CacheRecord {
  readonly entry: CacheEntry;
  /** Goes with this run. */
  readonly owner: RunRecord | undefined;
}

function emptyState(): State {
  return { now: 0, runs: new Map(), tasks: new Map(), cache: new Map(), discardedMessages: 0 };
}

/** The verbs that write. Each decides and writes at once, knows nothing but state and request, and never throws. */
const VERBS = { createRuns, claimTasks, renewLeases, commitTasks, unblockTasks, deliver, writeCache, purgeRuns };

type Verb = keyof typeof VERBS;
type Request<V extends Verb> = Parameters<(typeof VERBS)[V]>[1];
type Answer<V extends Verb> = ReturnType<(typeof VERBS)[V]>;

/** One line of the journal, applied: the only place where state changes. */
function apply(state: State, { verb, request, at }: Entry): unknown {
  state.now = Math.max(state.now, at); // a process may have been paused between looking at the clock and writing
  return (VERBS[verb] as (state: State, request: unknown) => unknown)(state, request);
}

// Idempotent by the id: who repeats a call whose answer was lost finds his own run, and knows it by its incarnation (I15).
function createRuns(state: State, runs: readonly NewRun[]): readonly CreateRunResult[] {
  return runs.map((run) => {
    const there = state.runs.get(run.runId);
    if (there !== undefined) {
      const status = there.header.startHash === run.startHash ? "existing" : "conflict";
      return { status, run: { ...there.header, status: there.status } };
    }
    const header = copyHeader(run, { createdAt: state.now, baseSeq: 0 });
    const record: RunRecord = {
      header,
      status: "open",
      closedAt: null,
      output: null,
      failure: null,
      state: run.state,
      attributes: run.attributes,
      events: [{ seq: 1, ...run.started }],
      lastCommitId: null,
      inbox: [],
      inboxLast: 0,
      accepted: new Set(),
      completed: new Map(),
    };
    state.runs.set(run.runId, record);
    addTask(state, {
      kind: "workflow",
      taskId: workflowTaskId(run.runId, run.incarnation),
      run: record,
      queue: run.queue,
      name: run.workflow,
      priority: run.priority,
      readyAt: run.readyAt ?? state.now,
      activity: null,
    });
    return { status: "created", run: { ...header, status: "open" } };
  });
}

type NewTask = Pick<Task, "kind" | "taskId" | "run" | "queue" | "name" | "priority" | "readyAt" | "activity">;

function addTask(state: State, task: NewTask): void {
  const unclaimed = { leaseUntil: null, workerId: null, workerInstance: null, epoch: 0, deliveries: 0 };
  state.tasks.set(task.taskId, { ...task, ...unclaimed, blocked: null, lastCommitId: null });
}

function getRun(state: State, runId: string): Run | undefined {
  const run = state.runs.get(runId);
  if (run === undefined) return undefined;
  return {
    ...run.header,
    status: run.status,
    closedAt: run.closedAt,
    output: run.output,
    failure: run.failure,
    state: run.state,
    attributes: run.attributes,
    lastSeq: run.events.length,
    lastCommitId: run.lastCommitId,
    task: taskState(state, run),
  };
}

function taskState(state: State, run: RunRecord): TaskState | null {
  const task = workflowTask(state, run);
  if (task === undefined) return null;
  const { leaseUntil, workerId, epoch, deliveries, blocked } = task;
  const readyAt = leaseUntil === null ? task.readyAt : null;
  return { readyAt, leaseUntil, workerId, epoch, deliveries, blocked, unread: run.inbox.length };
}

function workflowTask(state: State, { header }: Pick<RunRecord, "header">): Task | undefined {
  return state.tasks.get(workflowTaskId(header.runId, header.incarnation));
}

// Pages go by two keys that never change, so what is written between two pages moves nobody from one to the other (I19).
function listRuns(state: State, query: RunQuery, after: ReturnType<typeof decodeCursor> | undefined): Page<RunSummary> {
  const matching = [...state.runs.values()]
    .filter((run) => matches(state, run, query))
    .filter(({ header }) => after === undefined || newestFirst(after, header) < 0)
    .toSorted((a, b) => newestFirst(a.header, b.header));
  const page = matching.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map((run) => summary(state, run)),
    cursor: last !== undefined && page.length < matching.length ? encodeCursor(last.header) : null,
  };
}

type Place = Pick<RunHeader, "createdAt" | "runId">;

function newestFirst(a: Place, b: Place): number {
  return b.createdAt - a.createdAt || compareBytes(b.runId, a.runId);
}

function matches(state: State, { header, status, attributes }: RunRecord, query: RunQuery): boolean {
  const blocked = (workflowTask(state, { header })?.blocked ?? null) !== null;
  return (
    (query.status?.includes(status) ?? true) &&
    (query.workflow ?? header.workflow) === header.workflow &&
    (query.queue ?? header.queue) === header.queue &&
    (query.parentRunId === undefined || query.parentRunId === header.parent?.runId) &&
    (query.createdAfter === undefined || query.createdAfter <= header.createdAt) &&
    (query.createdBefore === undefined || header.createdAt < query.createdBefore) &&
    (query.blocked ?? blocked) === blocked &&
    Object.entries(query.attributes ?? {}).every(([name, value]) => attributes[name] === value)
  );
}

function summary(state: State, run: RunRecord): RunSummary {
  const { startHash: _hash, input: _input, parentClose: _close, deadlineAt: _at, baseSeq: _seq, ...rest } = run.header;
  const { status, attributes, closedAt } = run;
  return { ...rest, status, attributes, closedAt, task: taskState(state, run) };
}

function readEvents(state: State, { runId, incarnation, after, limit = Infinity }: EventRequest): EventPage {
  const run = state.runs.get(runId);
  if (run === undefined || (incarnation ?? run.header.incarnation) !== run.header.incarnation) {
    return { events: [], lastSeq: 0 };
  }
  const count = Math.min(limit, info.limits.eventPage);
  return { events: run.events.slice(after, after + count), lastSeq: run.events.length };
}

/** When a task can be claimed without anybody's help: while it is held, at the end of the lease, whatever it waited for before. */
function claimableAt(task: Task): Millis | null {
  return task.leaseUntil ?? task.readyAt;
}

/** A request for exactly these tasks looks at leases alone; any other at queue, kind and name. */
function selects(request: ClaimRequest, task: Task): boolean {
  if (request.taskIds !== undefined) return request.taskIds.includes(task.taskId);
  const names = task.kind === "workflow" ? request.handlers.workflows : request.handlers.activities;
  return request.queues.includes(task.queue) && request.kinds.includes(task.kind) && names.includes(task.name);
}

/** A task that a claim may take. */
interface Candidate {
  readonly task: Task;
  /** When it is claimable by the one who asks. */
  readonly at: Millis;
  /** Least first. Ten seconds of waiting outweigh a step of priority, so nothing starves (I27); a deadline does not count. */
  readonly rank: number;
  /** Nothing may be done with it but to time its run out. */
  readonly onlyTimeOut: boolean;
  /** Held by the one who asks, who does not know of it: he never got the answer that gave it to him. */
  readonly isLost: boolean;
}

/** What a claim takes, in order, and when to look again. Changes nothing. */
function chooseTasks(state: State, request: ClaimRequest, now: Millis): { chosen: Candidate[]; next: Millis | null } {
  const candidates = [...state.tasks.values()].flatMap((task) => candidate(task, request, now) ?? []);
  const ready = candidates.filter(({ at, isLost }) => isLost || at <= now);
  ready.sort((a, b) => Number(b.isLost) - Number(a.isLost) || a.rank - b.rank);
  const chosen = ready.slice(0, Math.min(request.limit, info.limits.claimTasks));
  if (request.taskIds !== undefined) return { chosen, next: null };
  const taken = new Set(chosen);
  const next = candidates.reduce((least, one) => (taken.has(one) ? least : Math.min(least, one.at)), Infinity);
  return { chosen, next: next === Infinity ? null : next };
}

function candidate(task: Task, request: ClaimRequest, now: Millis): Candidate | undefined {
  const { taskIds, holding, workerInstance, overdue } = request;
  const { deadlineAt } = task.run.header;
  const onlyTimeOut = !selects(request, task);
  if (onlyTimeOut && (taskIds !== undefined || !overdue || task.kind === "activity" || deadlineAt === null)) return;
  const isHis = task.leaseUntil !== null && task.workerInstance === workerInstance;
  const isLost = isHis && !holding.includes(task.taskId);
  const at = taskIds === undefined ? claimableAt(task) : (task.leaseUntil ?? now);
  if (at === null) return;
  const rank = at - task.priority * 10_000;
  return { task, at: onlyTimeOut ? Math.max(at, deadlineAt!) : at, rank, onlyTimeOut, isLost };
}

// The higher epoch is what fences the owner before: from here on every write of his is refused (I6).
function claimTasks(state: State, request: ClaimRequest): ClaimResult {
  const { chosen, next } = chooseTasks(state, request, state.now);
  const tasks = chosen.map(({ task, onlyTimeOut, isLost }) => {
    task.epoch += 1;
    if (!isLost) task.deliveries += 1;
    task.leaseUntil = state.now + request.leaseMs;
    task.workerId = request.workerId;
    task.workerInstance = request.workerInstance;
    return claimed(task, onlyTimeOut, request.inlineEvents);
  });
  return { now: state.now, tasks, nextReadyAt: next };
}

function claimed({ run, ...task }: Task, onlyTimeOut: boolean, inlineEvents: number): ClaimedTask {
  const { runId, incarnation, workflow, baseSeq } = run.header;
  const { taskId, epoch, deliveries } = task;
  const claim: Claim = { taskId, runId, incarnation, epoch };
  const leaseUntil = task.leaseUntil!;
  if (task.activity !== null) {
    const { scheduledAt, ...activity } = task.activity;
    return { kind: "activity", claim, leaseUntil, workflow, task: activity, scheduledAt, deliveries };
  }
  return {
    kind: "workflow",
    claim,
    leaseUntil,
    run: run.header,
    lastSeq: run.events.length,
    lastCommitId: run.lastCommitId,
    deliveries,
    closed: run.status !== "open",
    blocked: task.blocked,
    onlyTimeOut,
    inboxAcked: ackedOf(run),
    messages: run.inbox,
    events: run.events.length - baseSeq <= inlineEvents ? run.events.slice(baseSeq) : null,
  };
}

function ackedOf(run: RunRecord): InboxNo {
  return run.inboxLast - run.inbox.length;
}

/** The task, if this claim owns it: nobody has a newer epoch, and it was not given up. An expired lease is still good (I6, I8). */
function owned(state: State, { taskId, runId, incarnation, epoch }: Claim): Task | undefined {
  const task = state.tasks.get(taskId);
  const { header } = task?.run ?? {};
  const isOwner = task?.epoch === epoch && task.leaseUntil !== null;
  return isOwner && header?.runId === runId && header.incarnation === incarnation ? task : undefined;
}

/** Ends a claim: the epoch stays, so nothing is accepted under it any more. */
function giveUp(task: Task, readyAt: Millis | null): void {
  task.leaseUntil = null;
  task.workerId = null;
  task.workerInstance = null;
  task.readyAt = readyAt;
}

interface Renewal {
  readonly claims: readonly Claim[];
  readonly leaseMs: number;
}

function renewLeases(state: State, { claims, leaseMs }: Renewal): readonly RenewResult[] {
  return claims.map((claim) => {
    const task = owned(state, claim);
    if (task === undefined) return { status: "lost" };
    const leaseUntil = (task.leaseUntil = state.now + leaseMs);
    const held = { status: "held", now: state.now, leaseUntil } as const;
    if (task.kind === "activity") return { ...held, inboxLast: 0, messages: [] };
    return { ...held, inboxLast: task.run.inboxLast, messages: task.run.inbox };
  });
}

function commitTasks(state: State, commits: readonly TaskCommit[]): readonly CommitResult[] {
  const seen = new Set<TaskId>();
  return commits.map((commit) => {
    const refusal = judge(state, commit, seen.has(commit.claim.taskId));
    seen.add(commit.claim.taskId);
    if (refusal !== undefined) return refusal;
    const task = owned(state, commit.claim)!;
    if (commit.kind === "activity") applyActivityCommit(state, task, commit);
    else applyWorkflowCommit(state, task, commit);
    return applied(state, "ok", commit);
  });
}

/** What keeps a commit from being applied, in the order of the checks that the port asks for. */
function judge(state: State, commit: TaskCommit, isSecond: boolean): CommitResult | undefined {
  const { runId, incarnation, taskId } = commit.claim;
  const run = state.runs.get(runId);
  if (run?.header.incarnation !== incarnation) return { status: "lease-lost" };
  // First of all: a repeated commit was applied, also if the claim has ended by it or by anything since (I7).
  const lastCommitId =
    commit.kind === "workflow"
      ? run.lastCommitId
      : (state.tasks.get(taskId)?.lastCommitId ?? run.completed.get(taskId));
  if (lastCommitId === commit.commitId) return applied(state, "duplicate", commit);

  const task = owned(state, commit.claim);
  if (task === undefined || task.kind !== commit.kind) return { status: "lease-lost" };
  if (commit.kind === "activity") return undefined;

  const { close, next, ackInbox, expectedSeq } = commit;
  const isClosed = run.status !== "open";
  if (isSecond) return { status: "invalid", code: "second-commit-in-batch" };
  const code = checkCommit(commit, info.limits);
  if (code !== undefined) return { status: "invalid", code };
  if (isClosed && close !== undefined) return { status: "invalid", code: "close-twice" };
  if (next.do === "done" && !isClosed && close === undefined) return { status: "invalid", code: "done-without-close" };
  if (ackInbox < ackedOf(run) || ackInbox > run.inboxLast) return { status: "invalid", code: "ack-out-of-range" };

  if (expectedSeq !== run.events.length) return { status: "conflict", lastSeq: run.events.length };
  const unread = run.inbox.filter(({ no }) => no > ackInbox);
  const mayClose = close === undefined || close.discardUnread === true || unread.length === 0;
  return mayClose ? undefined : { status: "unread", messages: unread };
}

/** The answer to a commit that was applied, now or before: all that its owner should know, if he still is one. */
function applied(state: State, status: "ok" | "duplicate", { kind, claim }: TaskCommit): CommitResult {
  const task = owned(state, claim);
  const run = state.runs.get(claim.runId);
  const isLive = kind === "workflow" && run !== undefined && workflowTask(state, run) !== undefined;
  return {
    status,
    held: task !== undefined,
    now: state.now,
    leaseUntil: task?.leaseUntil ?? null,
    inboxLast: isLive ? run.inboxLast : 0,
    messages: isLive && task !== undefined ? run.inbox : [],
  };
}

/** All of a turn: nothing in here can fail, and nobody sees the half of it (I3). */
function applyWorkflowCommit(state: State, task: Task, commit: WorkflowCommit): void {
  const { run } = task;
  for (const event of commit.events) run.events.push({ seq: run.events.length + 1, ...event });
  run.inbox = run.inbox.filter(({ no }) => no > commit.ackInbox);
  for (const activity of commit.schedule ?? []) schedule(state, run, activity);
  for (const taskId of commit.cancel ?? []) {
    const cancelled = state.tasks.get(taskId);
    if (cancelled?.kind === "activity" && cancelled.run === run) state.tasks.delete(taskId);
  }
  run.state = commit.run?.state ?? run.state;
  run.attributes = commit.run?.attributes ?? run.attributes;
  run.header = { ...run.header, baseSeq: commit.run?.baseSeq ?? run.header.baseSeq };
  if (commit.close !== undefined) {
    run.status = commit.close.status;
    run.closedAt = state.now;
    run.output = commit.close.output ?? null;
    run.failure = commit.close.failure ?? null;
    state.discardedMessages += run.inbox.length;
    run.inbox = [];
  }
  run.lastCommitId = commit.commitId;
  task.blocked = null;
  const { next } = commit;
  if (next.do !== "block") task.deliveries = 0;
  switch (next.do) {
    case "hold":
      return;
    case "park":
      // I11: a message that came during the turn wakes the run, decided in the very write that parks it.
      return giveUp(task, run.inbox.length > 0 ? Math.min(next.wakeAt ?? state.now, state.now) : next.wakeAt);
    case "block":
      task.blocked = next.reason;
      return giveUp(task, next.until);
    case "done":
      return removeTasks(state, run);
    default:
      next satisfies never;
  }
}

function schedule(state: State, run: RunRecord, { readyAt, ...activity }: NewActivityTask): void {
  const { taskId, queue, priority } = activity;
  if (state.tasks.has(taskId) || run.completed.has(taskId)) return;
  addTask(state, {
    kind: "activity",
    taskId,
    run,
    queue,
    name: activity.activity,
    priority,
    readyAt: readyAt ?? state.now,
    activity: { ...activity, scheduledAt: state.now },
  });
}

/** Removes what a run could still be claimed by. */
function removeTasks(state: State, run: RunRecord): void {
  for (const [taskId, task] of state.tasks) {
    if (task.run === run) state.tasks.delete(taskId);
  }
  run.completed.clear();
}

function applyActivityCommit(state: State, task: Task, { commitId, next }: ActivityCommit): void {
  task.lastCommitId = commitId;
  switch (next.do) {
    case "complete":
      state.tasks.delete(task.taskId);
      task.run.completed.set(task.taskId, commitId);
      deliver(state, [next.message]); // whatever it answers: the task is done
      return;
    case "retry":
      task.activity = { ...task.activity!, attempt: next.attempt, details: next.details ?? task.activity!.details };
      task.deliveries = 0;
      return giveUp(task, next.at);
    case "release":
      task.deliveries = 0;
      return giveUp(task, state.now);
    default:
      next satisfies never;
  }
}

function unblockTasks(state: State, taskIds: readonly TaskId[]): readonly UnblockResult[] {
  return taskIds.map((taskId) => {
    const task = state.tasks.get(taskId);
    if (task?.kind !== "workflow") return { status: "unknown" };
    if (task.blocked === null) return { status: "not-blocked" };
    task.blocked = null;
    task.deliveries = 0;
    task.readyAt = state.now; // of no account while somebody holds it
    return { status: "unblocked" };
  });
}

// `duplicate` comes before `closed`: a sender whose answer was lost hears that his message had arrived.
function deliver(state: State, messages: readonly NewMessage[]): readonly DeliverResult[] {
  return messages.map(({ runId, incarnation, dedupeId, data }) => {
    const run = state.runs.get(runId);
    if (run === undefined || (incarnation ?? run.header.incarnation) !== run.header.incarnation) {
      return { status: "unknown" };
    }
    if (run.accepted.has(dedupeId)) return { status: "duplicate" };
    if (run.status !== "open") return { status: "closed" };
    run.accepted.add(dedupeId);
    run.inboxLast += 1;
    run.inbox = [...run.inbox, { no: run.inboxLast, at: state.now, dedupeId, data }];
    // I11: stored and woken in one write. Whoever holds the run will see the message before he can park it.
    const task = workflowTask(state, run)!;
    if (task.blocked === null) task.readyAt = Math.min(task.readyAt ?? state.now, state.now);
    return { status: "accepted" };
  });
}

function unexpired(state: State, key: CacheKey, now: Millis): CacheRecord | undefined {
  const record = state.cache.get(key);
  return record === undefined || (record.entry.expiresAt ?? Infinity) <= now ? undefined : record;
}

function writeCache(state: State, entries: readonly NewCacheEntry[]): readonly WriteCacheResult[] {
  return entries.map(({ key, value, expiresAt, mode, owner }) => {
    const task = owner && owned(state, owner);
    if (owner !== undefined && task === undefined) return { status: "lease-lost" };
    const there = unexpired(state, key, state.now);
    if (there !== undefined && mode === "first") return { status: "kept", entry: there.entry };
    const entry: CacheEntry = { key, value, expiresAt };
    state.cache.set(key, { entry, owner: task?.run });
    return { status: "written", entry };
  });
}

function stats(state: State, now: Millis): StorageStats {
  const runs: Record<RunStatus, number> = { open: 0, completed: 0, failed: 0, cancelled: 0 };
  for (const { status } of state.runs.values()) runs[status] += 1;
  const queues = new Map<string, { -readonly [K in keyof QueueStats]: QueueStats[K] }>();
  for (const task of state.tasks.values()) {
    const { queue, kind } = task;
    const key = JSON.stringify([queue, kind]);
    let counts = queues.get(key);
    if (counts === undefined) {
      counts = { queue, kind, ready: 0, leased: 0, blocked: 0, waiting: 0, oldestReadyAt: null };
      queues.set(key, counts);
    }
    const at = claimableAt(task);
    if (at !== null && at <= now) {
      counts.ready += 1;
      counts.oldestReadyAt = Math.min(counts.oldestReadyAt ?? at, at);
    } else if (task.leaseUntil !== null) counts.leased += 1;
    else if (task.blocked !== null) counts.blocked += 1;
    else counts.waiting += 1;
  }
  return {
    now,
    runs,
    queues: [...queues.values()].toSorted((a, b) => compareBytes(a.queue, b.queue) || compareBytes(a.kind, b.kind)),
    discardedMessages: state.discardedMessages,
  };
}

// What a purge removes is gone from the state. Its lines stay in the journal: see the README.
function purgeRuns(state: State, request: PurgeRequest): PurgeResult {
  const { closedBefore, minAgeMs = PURGE_AGE_MS, status, runIds } = request;
  const isPurgeable = (run: RunRecord): boolean => {
    const { header, closedAt } = run;
    const parent = header.parent && state.runs.get(header.parent.runId);
    const hasOpenParent = parent?.header.incarnation === header.parent?.incarnation && parent?.status === "open";
    return (
      closedAt !== null &&
      closedAt < closedBefore &&
      closedAt + minAgeMs <= state.now &&
      workflowTask(state, run) === undefined &&
      !hasOpenParent &&
      (status?.some((one) => one === run.status) ?? true) &&
      (runIds?.includes(header.runId) ?? true)
    );
  };
  const purgeable = [...state.runs.values()].filter(isPurgeable);
  const purged = new Set(purgeable.slice(0, Math.min(request.limit, info.limits.purgeRuns)));
  for (const run of purged) state.runs.delete(run.header.runId);
  for (const [key, { owner }] of state.cache) {
    if (owner !== undefined && purged.has(owner)) state.cache.delete(key);
  }
  return { purged: purged.size, more: purged.size < purgeable.length };
}
