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
