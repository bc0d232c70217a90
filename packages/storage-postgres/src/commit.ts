import {
  checkCommit,
  type CommitResult,
  type Limits,
  type Millis,
  type TaskCommit,
  type WorkflowCommit,
} from "@perdure/core/storage";
import {
  type ConnectionPool,
  each,
  messagesAfter,
  type ServerStatement,
  type SqlDriver,
  type Store,
  timeWith,
  type TopicCode,
  topicCode,
} from "@perdure/storage-sql";
import { Column, fitOne } from "./column.ts";
import { commitSql, commitValues, OUTCOMES, type CommitRows, type Outcome, type Rows } from "./commit-statement.ts";

/** A commit that one statement can apply, and the number of its run. */
interface Plain {
  /** Its place in the batch. */
  readonly at: number;
  readonly run: number;
  readonly outcome: Outcome;
  readonly commit: WorkflowCommit;
}

interface AppliedRow {
  readonly run: number;
  readonly lane: number;
  /** When the task can be claimed again; null also for one that is gone. */
  readonly visible_at: number | null;
  readonly inbox_last: number;
  readonly now: number;
}

/** A commit that was applied, and what its holder is told of. */
interface Applied extends Plain {
  readonly row: AppliedRow;
}

/** Commits of the plain kind: events, and a task that goes on, waits or is done. They are nearly all that there are. */
export class PlainCommits {
  readonly #pool: ConnectionPool;
  readonly #driver: SqlDriver;
  readonly #table: (name: string) => string;
  readonly #clock: string;
  readonly #forms = new Map<string, { readonly sql: string; readonly name: string }>();

  constructor(pool: ConnectionPool, driver: SqlDriver, table: (name: string) => string, clock: string) {
    this.#pool = pool;
    this.#driver = driver;
    this.#table = table;
    this.#clock = clock;
  }

  /** The answers to plain commits that were applied; undefined for all others, of which nothing is written. */
  async apply(
    store: Store,
    commits: readonly TaskCommit[],
    topics: Set<TopicCode>,
  ): Promise<readonly (CommitResult | undefined)[]> {
    const answers: (CommitResult | undefined)[] = commits.map(() => undefined);
    const plain = plainOnes(store, commits);
    if (plain.length === 0) return answers;
    const given = rowsOf(plain);
    if (plain.length > 1 && !fitOne([...given.events.columns, ...(given.ends?.columns ?? [])])) return answers;
    const [result] = await this.#pool.with((connection) => connection.send([this.#statement(given)]));
    const rows = result!.rows as readonly AppliedRow[];
    const byRun = new Map(rows.map((row) => [row.run, row]));
    const applied = plain.flatMap((one) => {
      const row = byRun.get(one.run);
      return row === undefined ? [] : [{ ...one, row }];
    });
    const now = rows.reduce((latest, row) => Math.max(latest, row.now), 0);
    for (const { at, outcome, row } of applied) {
      const held = outcome === "hold";
      const leaseUntil = held ? row.visible_at : null;
      answers[at] = { status: "ok", held, now, leaseUntil, inboxLast: row.inbox_last, messages: [] };
    }
    await this.#addMessages(applied, answers);
    await this.#addTopics(store, applied, now, topics);
    return answers;
  }

  /** What has come for those who hold on. */
  async #addMessages(applied: readonly Applied[], answers: (CommitResult | undefined)[]): Promise<void> {
    const unread = applied.filter(({ outcome, commit, row }) => outcome === "hold" && row.inbox_last > commit.ackInbox);
    if (unread.length === 0) return;
    const messages = await this.#driver.read(() =>
      each(
        unread,
        ({ run }) => String(run),
        ({ row, commit }) => messagesAfter(row, commit.ackInbox),
      ),
    );
    unread.forEach(({ at }, index) => {
      const told = messages[index]!;
      const answer = answers[at] as CommitResult & { readonly status: "ok" };
      answers[at] = { ...answer, now: timeWith(answer.now, told), messages: told };
    });
  }

  /** Whom it woke: who waits for an end, and who carries on what was due already when it was parked. */
  async #addTopics(store: Store, applied: readonly Applied[], now: Millis, topics: Set<TopicCode>): Promise<void> {
    for (const { outcome, commit, row } of applied) {
      if (outcome === "done") topics.add(topicCode("closed", commit.claim.runId));
      if (outcome !== "park" || row.visible_at === null || row.visible_at > now) continue;
      // It has waited for somebody, and its time came meanwhile.
      const { queue } = await this.#driver.read(() => store.lanes.byNo(row.lane));
      topics.add(topicCode("queue", queue));
    }
  }

  #statement(rows: CommitRows): ServerStatement {
    const key = formOf(rows);
    let form = this.#forms.get(key);
    if (form === undefined) {
      form = { sql: commitSql(rows, this.#table, this.#clock), name: `commit${this.#forms.size}` };
      this.#forms.set(key, form);
    }
    return { ...form, values: commitValues(rows) };
  }
}

function plainOnes(store: Store, commits: readonly TaskCommit[]): readonly Plain[] {
  const plain: Plain[] = [];
  const repeated = repeatedIds(commits);
  commits.forEach((commit, at) => {
    // Several commits for one run, or of one task, depend on one another.
    if (commit.kind !== "workflow" || repeated.has(commit.claim.runId) || repeated.has(commit.claim.taskId)) return;
    const outcome = outcomeOf(commit, store.limits);
    const known = store.numbers.byTask(commit.claim.taskId);
    if (outcome === undefined || known?.incarnation !== commit.claim.incarnation) return;
    if (known.runId === commit.claim.runId) plain.push({ at, run: known.no, outcome, commit });
  });
  // As everywhere, so that no two batches wait for each other.
  return plain.toSorted((a, b) => (a.commit.claim.runId < b.commit.claim.runId ? -1 : 1));
}

function repeatedIds(commits: readonly TaskCommit[]): ReadonlySet<string> {
  const ids = new Set<string>();
  const repeated = new Set<string>();
  for (const { claim } of commits) {
    for (const id of [claim.runId, claim.taskId]) (ids.has(id) ? repeated : ids).add(id);
  }
  return repeated;
}

function outcomeOf(commit: WorkflowCommit, limits: Limits): Outcome | undefined {
  const { events, schedule, cancel, run, close, next } = commit;
  if (events.length === 0 || schedule !== undefined || cancel !== undefined || run !== undefined) return undefined;
  if (next.do === "block" || (close !== undefined) !== (next.do === "done")) return undefined;
  return checkCommit(commit, limits) === undefined ? next.do : undefined;
}

function rowsOf(plain: readonly Plain[]): CommitRows {
  const outcomes: (readonly [Outcome, Rows])[] = [];
  for (const outcome of OUTCOMES) {
    const some = plain.filter((one) => one.outcome === outcome);
    if (some.length > 0) outcomes.push([outcome, { of: "task", columns: taskColumns(some) }]);
  }
  const order = outcomes.length > 1 ? new Column(plain.map(({ run }) => run)) : null;
  const done = plain.filter(({ outcome }) => outcome === "done");
  return {
    outcomes,
    order,
    events: { of: "event", columns: eventColumns(plain) },
    ends: done.length === 0 ? null : { of: "end", columns: endColumns(done) },
  };
}

function taskColumns(plain: readonly Plain[]): readonly Column[] {
  const commits = plain.map(({ commit }) => commit);
  return [
    plain.map(({ run }) => run),
    commits.map(({ claim }) => claim.epoch),
    commits.map(({ expectedSeq }) => expectedSeq),
    commits.map(({ events }) => events.length),
    commits.map(({ ackInbox }) => ackInbox),
    commits.map(({ commitId }) => commitId),
    commits.map(({ next }) => (next.do === "park" ? next.wakeAt : null)),
  ].map((values) => new Column(values));
}

function eventColumns(plain: readonly Plain[]): readonly Column[] {
  const values: unknown[][] = [[], [], [], [], [], []];
  for (const { run, commit } of plain) {
    commit.events.forEach(({ type, command, at, data }, index) => {
      [run, commit.expectedSeq + index + 1, type, command, at, data].forEach((value, field) =>
        values[field]!.push(value),
      );
    });
  }
  return values.map((list) => new Column(list));
}

function endColumns(plain: readonly Plain[]): readonly Column[] {
  const closes = plain.map(({ commit }) => commit.close!);
  return [
    plain.map(({ run }) => run),
    plain.map(({ commit }) => commit.expectedSeq + commit.events.length),
    plain.map(({ commit }) => commit.commitId),
    closes.map(({ status }) => status),
    closes.map(({ output }) => output ?? null),
    closes.map(({ failure }) => failure ?? null),
  ].map((values) => new Column(values));
}

/** What the text of a statement depends on. */
function formOf({ outcomes, order, events, ends }: CommitRows): string {
  const tables = [...outcomes, ["events", events] as const, ...(ends === null ? [] : [["ends", ends] as const])];
  const list = tables.map(([name, { columns }]) => `${name} ${columns.map(({ form }) => form).join("")}`);
  return `${order === null ? "" : order.form} ${list.join(" ")}`;
}
