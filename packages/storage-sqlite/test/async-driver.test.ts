import { setImmediate, setTimeout } from "node:timers/promises";
import type { ClaimResult, DeliverResult, NewMessage } from "@perdure/core/storage";
import {
  type Connection,
  type ConnectionPool,
  type Query,
  ServerDriver,
  type ServerDialect,
  type ServerStatement,
  SqlBackend,
  type StatementResult,
} from "@perdure/storage-sql";
import Database from "better-sqlite3";
import { expect, test, vi } from "vitest";
import { SqliteSql } from "../src/dialect.ts";
import { infoOf } from "../src/info.ts";
import { settingsOf } from "../src/options.ts";
import { PulseClock } from "../src/pulse-clock.ts";
import { anything, done, hold, newRun } from "../../storage-sql/test/requests.ts";

/** SQLite as a server: one connection, on which a trip is answered in a later turn of the event loop. */
class LatePool implements ConnectionPool, Connection {
  readonly #database = new Database(":memory:");
  #before: Promise<unknown> = Promise.resolve();
  trips = 0;
  statements = 0;
  isSilent = false;

  async open(): Promise<void> {}

  async close(): Promise<void> {
    this.#database.close();
  }

  join<T>(_transaction: unknown, use: (connection: Connection) => Promise<T>): Promise<T> {
    return use(this);
  }

  with<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    const answer = this.#before.then(() => use(this));
    this.#before = answer.catch(() => {});
    return answer;
  }

  async send(statements: readonly ServerStatement[]): Promise<readonly StatementResult[]> {
    this.trips += 1;
    if (this.isSilent) await new Promise(() => {});
    await setImmediate();
    return statements.map(({ sql, values }) => {
      this.statements += 1;
      const statement = this.#database.prepare(sql);
      if (statement.reader) return { rows: statement.all(values) as object[], count: 0 };
      return { rows: [], count: statement.run(values).changes };
    });
  }
}

class LateSql extends SqliteSql implements ServerDialect {
  readonly begin = { write: ["begin immediate"], read: ["begin"] };
  readonly clock = "cast(unixepoch('subsec') * 1000 as integer)";

  many(_query: Query): undefined {}

  isConflict(): boolean {
    return false;
  }
}

function lateStorage(): { readonly storage: SqlBackend; readonly pool: LatePool } {
  const settings = settingsOf(":memory:");
  const dialect = new LateSql(":memory:", new PulseClock(settings.clock));
  const pool = new LatePool();
  const driver = new ServerDriver(dialect, pool);
  const setup = { namespace: "n", migrate: "auto", patienceMs: 100 } as const;
  const storage = new SqlBackend({ ...setup, info: infoOf(settings), dialect, driver });
  return { storage, pool };
}

function message(runId: string, dedupeId: string): NewMessage {
  return { runId, dedupeId, external: true, data: `"${dedupeId}"` };
}

test("the programs of the verbs run over a driver that answers later, unchanged", async () => {
  const { storage } = lateStorage();
  expect(storage.subscribe).toBeUndefined();
  const created = await storage.createRuns(["a", "b", "a"].map((runId) => newRun(runId)));
  expect(created.map(({ status }) => status)).toEqual(["created", "created", "existing"]);
  const { tasks } = await storage.claimTasks(anything());
  expect(tasks.map(({ claim }) => claim.runId)).toEqual(["a", "b"]);
  const [a, b] = tasks.map(({ claim }) => claim);
  const results = await Promise.all([
    storage.commitTasks([hold(a!, 1), hold(b!, 7)]),
    storage.deliver([{ runId: "b", dedupeId: "m", external: true, data: "1" }]),
    storage.commitTasks([done(a!, 2)]),
  ]);
  expect(results).toMatchObject([
    [
      { status: "ok", held: true },
      { status: "conflict", lastSeq: 1 },
    ],
    [{ status: "accepted" }],
    [{ status: "ok", held: false }],
  ]);
  expect(await storage.getRun("a")).toMatchObject({ status: "completed", output: "42", lastSeq: 3, task: null });
  expect((await storage.readEvents([{ runId: "a", after: 0 }]))[0]!.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(await storage.getRun("b")).toMatchObject({ status: "open", task: { unread: 1 } });
  await storage.close();
});

async function tripsOf<T>(
  pool: LatePool,
  verb: () => Promise<T>,
): Promise<{ readonly trips: number; readonly answer: T }> {
  const before = pool.trips;
  const answer = await verb();
  return { trips: pool.trips - before, answer };
}

test("a batch takes as many trips to a server as one element", async () => {
  const { storage, pool } = lateStorage();
  await storage.createRuns([newRun("first")]);
  const one = await tripsOf(pool, () => storage.createRuns([newRun("one")]));
  const many = Array.from({ length: 50 }, (_, at) => newRun(`many-${at}`));
  expect((await tripsOf(pool, () => storage.createRuns(many))).trips).toBe(one.trips);
  const { tasks } = await storage.claimTasks(anything());
  const [first, ...others] = tasks.map(({ claim }) => claim);
  const hundred = others.map((claim) => hold(claim, 1));
  expect((await tripsOf(pool, () => storage.commitTasks([hold(first!, 1)]))).trips).toBeLessThanOrEqual(3);
  expect((await tripsOf(pool, () => storage.commitTasks(hundred))).trips).toBeLessThanOrEqual(3);
  const messages = Array.from({ length: 50 }, (_, at) => message("first", `m-${at}`));
  expect((await tripsOf(pool, () => storage.deliver([message("first", "m")]))).trips).toBeLessThanOrEqual(3);
  expect((await tripsOf(pool, () => storage.deliver(messages))).trips).toBeLessThanOrEqual(4);
  await storage.close();
});

test("a claim takes four trips to a server: where tasks may be, the tasks, what belongs to them, the commit", async () => {
  const { storage, pool } = lateStorage();
  const deadlineAt = Date.now() + 60_000;
  await storage.createRuns(["a", "b", "c"].map((runId) => newRun(runId, { deadlineAt })));
  await storage.deliver([{ runId: "a", dedupeId: "m", external: true, data: "1" }]);
  const { trips, answer } = await tripsOf(pool, () => storage.claimTasks(anything({ limit: 2, overdue: true })));
  expect(trips).toBe(4);
  expect(answer.tasks).toMatchObject([
    { run: { runId: "a" }, messages: [{ data: "1" }], events: [{ seq: 1 }] },
    { run: { runId: "b" }, messages: [], events: [{ seq: 1 }] },
  ]);
  expect(answer.nextReadyAt).toBeLessThanOrEqual(answer.now);
  await storage.close();
});

test("a close waits for verbs that have begun, but not for ever for a server that is silent", async () => {
  const { storage } = lateStorage();
  const created = storage.createRuns([newRun("first")]);
  const claimed = storage.claimTasks(anything());
  await storage.close();
  expect(await created).toMatchObject([{ status: "created" }]);
  expect(await claimed).toMatchObject({ tasks: [{ claim: { runId: "first" } }] });

  const other = lateStorage();
  await other.storage.setup();
  other.pool.isSilent = true;
  const answered = vi.fn<() => void>();
  void other.storage.getRun("first").finally(answered);
  await other.storage.close();
  expect(answered).not.toHaveBeenCalled();
});

test("messages that come in one batch are what they would be one by one (I18)", async () => {
  const again = message("a", "4");
  const messages = [
    message("a", "1"),
    message("b", "1"),
    message("a", "1"),
    message("gone", "1"),
    { ...message("a", "2"), incarnation: newRun("a").incarnation },
    { ...message("a", "3"), incarnation: "another".padEnd(16, "x") },
    { ...message("a", "known"), data: "5" },
    message("closed", "known"),
    message("closed", "1"),
    message("nobody", "1"),
    message("nobody", "2"),
    again,
    again,
    message("b", "0"),
  ];
  const answered = await Promise.all(
    [true, false].map(async (inOne) => {
      const { storage } = lateStorage();
      await storage.createRuns(["a", "b", "closed"].map((runId) => newRun(runId)));
      await storage.deliver([message("a", "known"), message("closed", "known")]);
      const { tasks } = await storage.claimTasks(anything({ handlers: { workflows: ["order"], activities: [] } }));
      const { claim } = tasks.find((task) => task.claim.runId === "closed")!;
      await storage.commitTasks([{ ...done(claim, 1), ackInbox: 1 }]);
      const answers: DeliverResult[] = inOne ? [...(await storage.deliver(messages))] : [];
      if (!inOne) for (const one of messages) answers.push(...(await storage.deliver([one])));
      const claimed = await storage.claimTasks(anything({ workerInstance: "worker-1", holding: [] }));
      const inboxes = claimed.tasks.map((task) => ({
        runId: task.claim.runId,
        messages: task.kind === "workflow" ? task.messages.map(({ no, dedupeId, data }) => [no, dedupeId, data]) : [],
      }));
      await storage.close();
      return { statuses: answers.map(({ status }) => status), inboxes };
    }),
  );
  expect(answered[0]).toEqual(answered[1]);
  expect(new Set(answered[0]!.statuses)).toEqual(new Set(["accepted", "duplicate", "unknown", "closed"]));
  expect(answered[0]!.inboxes[0]!.messages.map(([no]) => no)).toEqual([1, 2, 3, 4]);
});

test("an idle claim asks a server for one row; one that may find something does not look first", async () => {
  const { storage, pool } = lateStorage();
  await storage.setup();
  expect((await tripsOf(pool, () => storage.claimTasks(anything()))).trips).toBeGreaterThan(1);
  const before = pool.statements;
  const idle = await tripsOf(pool, () => storage.claimTasks(anything()));
  expect(idle).toMatchObject({ trips: 1, answer: { tasks: [], nextReadyAt: null } });
  expect(pool.statements - before).toBe(1);
  const readyAt = Date.now() + 40;
  await storage.createRuns([newRun("now"), newRun("soon", { readyAt })]);
  const news = await tripsOf(pool, () => storage.claimTasks(anything()));
  expect(news).toMatchObject({ trips: 4, answer: { tasks: [{ run: { runId: "now" } }], nextReadyAt: readyAt } });
  const holding = news.answer.tasks.map(({ claim }) => claim.taskId);
  await storage.claimTasks(anything({ holding }));
  expect((await tripsOf(pool, () => storage.claimTasks(anything({ holding })))).answer.nextReadyAt).toBe(readyAt);
  await setTimeout(45);
  const due = await tripsOf(pool, () => storage.claimTasks(anything({ holding })));
  expect(due).toMatchObject({ trips: 4, answer: { tasks: [{ run: { runId: "soon" } }] } });
  await storage.close();
});

test("an idle claim finds what a server has in store for it all the same", async () => {
  const { storage } = lateStorage();
  const claim = (changes = {}) => storage.claimTasks(anything(changes));
  const runIds = (result: ClaimResult): readonly string[] => result.tasks.map((task) => task.claim.runId);
  await storage.createRuns([newRun("lost")]);
  await claim();
  expect((await claim({ workerInstance: "worker-2" })).tasks).toEqual([]);
  // The answer of the first claim was lost.
  expect(runIds(await claim())).toEqual(["lost"]);
  await storage.createRuns([newRun("late", { queue: "else", deadlineAt: 1 })]);
  // Neither in its lanes nor asked for.
  expect((await claim({ workerInstance: "worker-2", overdue: false })).tasks).toEqual([]);
  expect(runIds(await claim({ workerInstance: "worker-2" }))).toEqual(["late"]);
  await storage.close();
});
