import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { createClient, workflow } from "@perdure/core";
import { CamelCasePlugin, type IsolationLevel, type Kysely, ParseJSONResultsPlugin, sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { openShop } from "./open-shop.ts";
import { usersChild } from "./users-child.ts";
import type { OpenTransaction, Shop, UsersPlace, UsersPlaces } from "./users-place.ts";
import { isolated, left, paid, selling, type ShopTransaction, take } from "./users-shop.ts";

export interface Peculiarities {
  /** Milliseconds in which an idle process hears of a commit, at best and half of the times on a busy machine. */
  readonly hint: { readonly best: number; readonly usual: number };
  /** Isolation in which an open transaction holds up nobody. */
  readonly levels: readonly IsolationLevel[];
  /** Has the server give up a transaction that is so isolated and has taken a pen, in favour of another one. Throws what it says. */
  readonly conflict: {
    readonly level: IsolationLevel;
    provoke(tx: ShopTransaction, db: Kysely<Shop>): Promise<unknown>;
  };
}

const ROUNDS = 10;

/** How users come by a transaction that they end whenever they like. */
const beginnings: Record<string, (place: UsersPlace) => Promise<OpenTransaction>> = {
  "the driver's": ({ begin }) => begin(),
  "kysely's, controlled": async ({ db }) => {
    const tx = await db.startTransaction().execute();
    return { tx, end: (by) => tx[by]().execute() };
  },
  "kysely's": async ({ db }) => {
    const opened = Promise.withResolvers<ShopTransaction>();
    const closing = Promise.withResolvers<"commit" | "rollback">();
    const ended = db.transaction().execute(async (tx) => {
      opened.resolve(tx);
      if ((await closing.promise) === "rollback") throw new Error("rolled back");
    });
    return {
      tx: await opened.promise,
      async end(by) {
        closing.resolve(by);
        await ended.catch(() => {});
      },
    };
  },
};

/** Lets other work go on for so many milliseconds, more exactly than a timer. */
async function ticks(ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) await setImmediate();
}

/** What users do in transactions of their own, played with the engine and with other processes. */
export function describeUsersTransactions(places: UsersPlaces, { hint, levels, conflict }: Peculiarities): void {
  describe("a user's transaction", () => {
    test.each([
      ["names in camel case", new CamelCasePlugin()],
      ["JSON made values", new ParseJSONResultsPlugin()],
    ])("of a kysely with a plugin is joined as the database has it: %s", async (_, plugin) => {
      const { db, client, work } = await openShop(places);
      const { order, reserve } = selling(db.withPlugin(plugin));
      work({ order, reserve });
      await db
        .withPlugin(plugin)
        .transaction()
        .execute(async (tx) => {
          const run = await client.start(order, "pen", { id: "o-1", tx });
          await client.start(order, "pen", { id: "o-1", tx });
          await run.signal(paid, "ada", { id: "payment", tx });
          await run.signal(paid, "ada", { id: "payment", tx });
        });
      expect(await client.handle("o-1", order).result()).toBe("pen, reserved by attempt 1, paid by ada");
      expect(await left(db, "pen")).toBe(9);
    });

    test("wakes another process when it is committed, and not before (I11)", { timeout: 60_000 }, async () => {
      const { name, db, client } = await openShop(places);
      const child = await usersChild(places, name, "work");
      const told = workflow({ name: "told" }, async () => {});
      const waits = { started: [] as number[], paid: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        const id = `o-${round}`;
        await db.transaction().execute(async (tx) => {
          await client.start(told, undefined, { id, tx });
          if (round === 0) await sleep(50);
          expect(child.hasDone("started", id)).toBe(false);
        });
        let committedAt = performance.now();
        await child.did("started", id);
        waits.started.push(performance.now() - committedAt);
        await expect.poll(() => client.handle(id).status()).toBe("suspended");
        await db.transaction().execute((tx) => client.handle(id).signal(paid, "ada", { tx }));
        committedAt = performance.now();
        await child.did("paid", id);
        waits.paid.push(performance.now() - committedAt);
      }
      for (const [what, times] of Object.entries(waits)) {
        const [best = 0, usual = 0] = [0, ROUNDS / 2].map((at) => times.toSorted((a, b) => a - b)[at]);
        expect.soft(best, `the best time until it is ${what}`).toBeLessThan(hint.best);
        expect.soft(usual, `half of the times until it is ${what}`).toBeLessThan(hint.usual);
      }
    });

    test.each(Object.keys(beginnings))("is joined by two storages at once, each in its turn; %s", async (whose) => {
      const place = await openShop(places);
      const { client, storage } = place;
      const other = place.open();
      onTestFinished(() => other.close());
      await other.setup();
      const others = createClient({ storage: other });
      onTestFinished(() => others.close());
      const told = workflow({ name: "told" }, async () => {});
      const { tx, end } = await beginnings[whose]!(place);
      await Promise.all(
        ["a", "b", "c"].flatMap((id) => [
          client.start(told, undefined, { id, tx }),
          others.start(told, undefined, { id: `other ${id}`, tx }),
        ]),
      );
      await end("commit");
      const { items } = await storage.listRuns({ limit: 10 });
      expect(items.map(({ runId }) => runId).toSorted()).toEqual(["a", "b", "c", "other a", "other b", "other c"]);
    });

    test("of a process that dies leaves nothing, and nothing locked (I3)", async () => {
      const { name, db, client, storage } = await openShop(places);
      const told = workflow({ name: "told" }, async () => {});
      const open = await client.start(told, undefined, { id: "open" });
      const child = await usersChild(places, name, "open");
      await child.did("opened");
      await child.kill();
      await open.signal(paid, "ada");
      await client.start(told, undefined, { id: "of the dead" });
      await take(db, "pen");
      expect(await left(db, "pen")).toBe(9);
      expect((await storage.getRun("open"))!.task!.unread).toBe(1);
    });

    test.each(levels)("that stays open holds up nobody else, at %s (I27)", { timeout: 60_000 }, async (level) => {
      const { db, client, work } = await openShop(places);
      const { order, reserve } = selling(db);
      work({ order, reserve });
      const serve = async (id: string): Promise<void> => {
        const run = await client.start(order, "ink", { id });
        await run.signal(paid, "grace");
        await run.result();
      };
      const waiting = await client.start(order, "pen", { id: "waiting" });
      await expect.poll(async () => (await waiting.describe()).waitingFor).toHaveLength(1);
      await serve("served before");
      await isolated(
        db,
        level,
      )(async (tx) => {
        await take(tx, "pen");
        const run = await client.start(order, "pen", { tx });
        await run.signal(paid, "ada", { tx });
        await waiting.signal(paid, "ada", { id: "payment", tx });
        // What is there already, or not any more.
        await waiting.signal(paid, "ada", { id: "payment", tx });
        await client.start(order, "ink", { id: "served before", tx });
        const closed = client.handle("served before").signal(paid, "ada", { tx });
        await expect(closed).rejects.toMatchObject({ code: "run-closed" });
        const ids = Array.from({ length: 30 }, (_, index) => `${"anpz"[index % 4]}${index}`);
        await Promise.all(ids.map(serve));
      });
      expect(await waiting.result()).toMatch(/paid by ada$/u);
    });

    test.each(
      Object.keys(beginnings).flatMap((whose) => (["commit", "rollback"] as const).map((by) => ({ whose, by }))),
    )(
      "that ends, by a $by, before a call is done: has all of the call, or nothing; $whose (I3)",
      { timeout: 60_000 },
      async ({ whose, by }) => {
        const place = await openShop(places);
        const { db, client } = place;
        const told = workflow({ name: "told" }, async () => {});
        await client.start(told, undefined, { id: "first" });
        const outcomes: string[] = [];
        for (let round = 0; round < 60; round++) {
          const { tx, end } = await beginnings[whose]!(place);
          const outcome = client.start(told, undefined, { id: `o-${round}`, tx }).then(
            () => "started",
            ({ message }: Error) =>
              message.match(/open transaction|already (?:committed|rolled back)/u)?.[0] ?? message,
          );
          await ticks(round * 0.1);
          await end(by);
          outcomes.push(await outcome);
        }
        const refused = expect.stringMatching(
          /^(?:open transaction|already committed|already rolled back)$/u,
        ) as string;
        expect(outcomes).toEqual(outcomes.map((outcome) => (outcome === "started" ? outcome : refused)));
        const started = outcomes.flatMap((outcome, round) => (outcome === "started" ? [`o-${round}`] : []));
        expect(started.length).toBeGreaterThan(0);
        expect(started.length).toBeLessThan(60);
        const there = ["first", ...(by === "commit" ? started : [])];
        const { rows } = await sql<{ id: unknown }>`select r.id from perdure_runs r order by r.no`.execute(db);
        expect(rows.map(({ id }) => String(id))).toEqual(there);
        for (const table of ["tasks", "events"]) {
          const { rows: belongings } = await sql<{
            id: string | null;
          }>`select r.id from ${sql.table(`perdure_${table}`)} t
            left join perdure_runs r on r.no = t.run order by t.run`.execute(db);
          expect(belongings.map(({ id }) => String(id))).toEqual(there);
        }
      },
    );

    test.each(["lets through", "hides"])(
      "that the server gives up in favour of another one is an attempt that failed, if its code %s the error (I13)",
      async (does) => {
        const { db, client, work } = await openShop(places);
        const said: unknown[] = [];
        const code = async (_: string, { tx, attempt }: { tx: ShopTransaction; attempt: number }): Promise<void> => {
          if (attempt > 1) return;
          await conflict.provoke(tx, db).catch((error: unknown) => {
            said.push(error);
            if (does === "lets through") throw error;
          });
        };
        const failed: string[] = [];
        const { order, reserve } = selling(db, code, isolated(db, conflict.level));
        work({ order, reserve }, failed);
        const run = await client.start(order, "pen");
        await run.signal(paid, "ada");
        expect(await run.result()).toBe("pen, reserved by attempt 2, paid by ada");
        expect(said).toHaveLength(1);
        expect(failed).toHaveLength(1);
        if (does === "lets through") expect(failed).toEqual([expect.stringContaining((said[0] as Error).message)]);
        expect(await left(db, "pen")).toBe(9);
      },
    );
  });
}
