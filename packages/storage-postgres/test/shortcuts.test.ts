import { postgres } from "@perdure/storage-postgres";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { anything, hold, newRun } from "../../storage-sql/test/requests.ts";
import { newSchema, url } from "./scratch.ts";

/** A pool that stops before the next statement that begins like this, once it is told to, until it is told to go on. */
function stoppingPool(beginning: string) {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  onTestFinished(() => pool.end());
  const { promise: stopped, resolve: arrive } = Promise.withResolvers<void>();
  const { promise: gate, resolve: goOn } = Promise.withResolvers<void>();
  let isArmed = false;
  pool.on("connect", (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
    client.query = (async (config: { readonly text?: string }, ...others: unknown[]) => {
      if (isArmed && config.text?.startsWith(beginning) === true) {
        arrive();
        await gate;
      }
      return query(config, ...others);
    }) as never;
  });
  return { pool, stopped, goOn, arm: () => (isArmed = true) };
}

test.each([true, false])(
  "a turn is answered whose messages somebody takes before they are read for it (I7): external %s",
  async (external) => {
    const { pool, stopped, goOn, arm } = stoppingPool("begin isolation level repeatable read");
    const schema = newSchema();
    const [storage, other] = [postgres({ pool, schema }), postgres({ url, schema })];
    await storage.createRuns([newRun("r")]);
    const [task] = (await storage.claimTasks(anything({ kinds: ["workflow"] }))).tasks;
    await other.deliver([{ runId: "r", dedupeId: "m", external, data: "{}" }]);
    arm();
    const turn = storage.commitTasks([hold(task!.claim, 1)]);
    await stopped;
    expect(await other.commitTasks([hold(task!.claim, 2, { ackInbox: 1 })])).toMatchObject([{ status: "ok" }]);
    goOn();
    expect(await turn).toMatchObject([{ status: "ok", held: true, inboxLast: 1, messages: [] }]);
    for (const one of [storage, other]) await one.close();
  },
);
