import {
  activityTaskId,
  type Claim,
  type NewActivityTask,
  type StorageBackend,
  type TaskId,
} from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { anything, hold, newRun } from "../../storage-sql/test/requests.ts";
import { newSchema, query, url } from "./scratch.ts";

/** Waits until a connection of the application waits for somebody else's lock. */
async function untilBlocked(application: string): Promise<void> {
  await expect
    .poll(
      () =>
        query("select 1 from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'", [application]),
      { interval: 5, timeout: 5_000 },
    )
    .toHaveLength(1);
}

describe("tasks are locked by run and then by seq: whoever waits for the first holds none of the others", () => {
  // Everything that could pass for an order is reversed: when runs were created, incarnations, keys of entries.
  const [first, second] = [newRun("a", { incarnation: "z".repeat(16) }), newRun("b", { incarnation: "y".repeat(16) })];
  const message = { dedupeId: "1", external: true, data: "1" };
  const verbs: Readonly<Record<string, (storage: StorageBackend, claims: readonly Claim[]) => Promise<unknown>>> = {
    deliver: (storage) => storage.deliver(["b", "a"].map((runId) => ({ ...message, runId }))),
    "plain commits": (storage, claims) => storage.commitTasks(claims.map((claim) => hold(claim, 1))),
    commits: (storage, claims) => storage.commitTasks(claims.map((claim) => hold(claim, 1, { run: { state: "{}" } }))),
    renewLeases: (storage, claims) => storage.renewLeases(claims, 60_000),
    unblockTasks: (storage, claims) => storage.unblockTasks(claims.map(({ taskId }) => taskId)),
    "a claim by ids": (storage, claims) =>
      storage.claimTasks(anything({ taskIds: claims.map(({ taskId }) => taskId), workerInstance: "other" })),
    "a claim of forgotten tasks": (storage) => storage.claimTasks(anything()),
    writeCache: (storage, [b, a]) =>
      storage.writeCache([
        { key: "1", value: "1", expiresAt: null, mode: "first", owner: b! },
        { key: "2", value: "1", expiresAt: null, mode: "first", owner: a! },
      ]),
  };

  test.each(Object.entries(verbs))("%s", async (_, verb) => {
    const schema = newSchema();
    const storage = postgres({ url, schema, pool: { application_name: schema } });
    onTestFinished(() => storage.close());
    await storage.createRuns([second]);
    await storage.createRuns([first]);
    const { tasks } = await storage.claimTasks(anything());
    const answered = await whileLocked(schema, ["a", 0], ["b", 0], () =>
      verb(
        storage,
        tasks.map(({ claim }) => claim),
      ),
    );
    expect(answered).toBeDefined();
  });

  test("deliver, where only the second run is known", async () => {
    const schema = newSchema();
    const storage = postgres({ url, schema, pool: { application_name: schema } });
    const other = postgres({ url, schema });
    onTestFinished(async () => void (await Promise.all([storage.close(), other.close()])));
    await other.createRuns([first, second]);
    await storage.deliver([{ ...message, runId: "b" }]);
    const messages = ["a", "b"].map((runId) => ({ ...message, runId, dedupeId: "2" }));
    const delivered = await whileLocked(schema, ["a", 0], ["b", 0], () => storage.deliver(messages));
    expect(delivered).toEqual([{ status: "accepted" }, { status: "accepted" }]);
  });

  describe("activity tasks of one run", () => {
    async function twoActivities() {
      const schema = newSchema();
      const storage = postgres({ url, schema, pool: { application_name: schema } });
      onTestFinished(() => storage.close());
      await storage.createRuns([first]);
      const [task] = (await storage.claimTasks(anything())).tasks;
      const ids = [9, 10].map((seq) => activityTaskId("a", first.incarnation, seq));
      const schedule = ids.map((taskId) => newActivity(taskId));
      const { claim } = task!;
      expect(await storage.commitTasks([hold(claim, 1, { schedule })])).toMatchObject([{ status: "ok" }]);
      return { schema, storage, claim, ids };
    }

    test("a commit that cancels them", async () => {
      const { schema, storage, claim, ids } = await twoActivities();
      const committed = await whileLocked(schema, ["a", 9], ["a", 10], () =>
        storage.commitTasks([hold(claim, 2, { cancel: ids.toReversed() })]),
      );
      expect(committed).toMatchObject([{ status: "ok" }]);
    });

    test("several of their commits", async () => {
      const { schema, storage, ids } = await twoActivities();
      const { tasks } = await storage.claimTasks(anything({ taskIds: ids.toReversed(), workerInstance: "other" }));
      expect(tasks.map(({ claim }) => claim.taskId)).toEqual(ids.toReversed());
      const commits = tasks.map(
        ({ claim }) => ({ kind: "activity", claim, commitId: claim.taskId, next: { do: "release" } }) as const,
      );
      const committed = await whileLocked(schema, ["a", 9], ["a", 10], () => storage.commitTasks(commits));
      expect(committed).toMatchObject([{ status: "ok" }, { status: "ok" }]);
    });
  });
});

function newActivity(taskId: TaskId): NewActivityTask {
  const task = { activity: "charge", queue: "main", priority: 0, input: "{}", attempt: 1 };
  return { ...task, taskId, details: null, readyAt: null };
}

type Place = readonly [runId: string, seq: number];

/** Has something done that needs two tasks, while somebody holds the one; until it waits for that, it must not have locked the other. */
async function whileLocked<T>(schema: string, held: Place, free: Place, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  const lock = async (place: Place): Promise<number> => {
    const { rows } = await client.query(
      `select 1 from ${schema}.perdure_tasks t join ${schema}.perdure_runs r on r.no = t.run
       where r.id = $1 and t.seq = $2 for update of t skip locked`,
      [...place],
    );
    return rows.length;
  };
  await client.query("begin");
  expect(await lock(held)).toBe(1);
  const worked = work();
  await untilBlocked(schema);
  const isFree = (await lock(free)) === 1;
  await client.query("commit");
  const answer = await worked;
  expect(isFree).toBe(true);
  return answer;
}

describe("transactions that are in one another's way", () => {
  test.each(["plain", "general"] as const)(
    "a deadlock that the server resolves against us is tried again, and nobody notices: %s commits",
    { timeout: 20_000 },
    async (kind) => {
      const schema = newSchema();
      const storage = postgres({ url, schema, pool: { application_name: schema } });
      onTestFinished(() => storage.close());
      await storage.createRuns([newRun("a"), newRun("b")]);
      const { tasks } = await storage.claimTasks(anything());
      const rude = new pg.Client(url);
      await rude.connect();
      onTestFinished(() => rude.end());
      const lock = (runId: string): Promise<unknown> =>
        rude.query(
          `select 1 from ${schema}.perdure_tasks t join ${schema}.perdure_runs r on r.no = t.run where r.id = $1 for update of t`,
          [runId],
        );
      // Ours notices the circle first.
      await rude.query("set deadlock_timeout = '30s'");
      await rude.query("begin");
      await lock("b");
      const changes = kind === "plain" ? {} : { run: { state: "{}" } };
      const committed = storage.commitTasks(tasks.map(({ claim }) => hold(claim, 1, changes)));
      await untilBlocked(schema);
      // It has locked "a", and waits for "b". It gives "a" up, or this would never be answered.
      await lock("a");
      await rude.query("commit");
      expect(await committed).toMatchObject([{ status: "ok" }, { status: "ok" }]);
      const pages = await storage.readEvents(["a", "b"].map((runId) => ({ runId, after: 0 })));
      expect(pages.map(({ lastSeq }) => lastSeq)).toEqual([2, 2]);
    },
  );

  test("crowds that write to the same runs in any order all come through", { timeout: 30_000 }, async () => {
    const schema = newSchema();
    const storages = [1, 2, 3].map(() => postgres({ url, schema, pool: { max: 4 } }));
    onTestFinished(async () => void (await Promise.all(storages.map((storage) => storage.close()))));
    const ids = Array.from({ length: 12 }, (_, n) => `run-${n}`);
    await storages[0]!.createRuns(ids.map((runId) => newRun(runId)));
    // Steps that have nothing in common with twelve meet each run once.
    const shuffled = (round: number): string[] =>
      ids.map((_, n) => ids[(n * [1, 5, 7, 11][round % 4]! + round) % ids.length]!);
    const delivered = await Promise.all(
      storages.flatMap((storage, at) =>
        Array.from({ length: 20 }, (_, round) =>
          storage.deliver(
            shuffled(at * 20 + round).map((runId) => ({
              runId,
              dedupeId: `${at}-${round}`,
              external: true,
              data: "1",
            })),
          ),
        ),
      ),
    );
    expect(delivered.flat().filter(({ status }) => status !== "accepted")).toEqual([]);
    const { tasks } = await storages[0]!.claimTasks(anything());
    expect(tasks.map((task) => (task.kind === "workflow" ? task.messages.length : 0))).toEqual(ids.map(() => 60));
  });
});
