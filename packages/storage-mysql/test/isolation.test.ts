import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { openShop } from "../../storage-sql/test/open-shop.ts";
import { isolated, left, paid, selling, type ShopTransaction, take } from "../../storage-sql/test/users-shop.ts";
import { deadlock } from "./deadlock.ts";
import places from "./users-place.ts";

test("a transaction that the server has rolled back is over, also where the code takes no notice (I3)", async () => {
  const { db, client } = await openShop(places);
  const { order } = selling(db);
  await db.transaction().execute(async (tx) => {
    await take(tx, "pen");
    await expect(deadlock(tx, db)).rejects.toMatchObject({ errno: 1213 });
    await expect(client.start(order, "pen", { id: "o-1", tx })).rejects.toMatchObject({ code: "invalid-argument" });
  });
  await expect(client.handle("o-1").status()).rejects.toMatchObject({ code: "run-not-found" });
});

describe.each(["read committed", "repeatable read", "serializable"] as const)("at %s, a transaction", (level) => {
  test("starts, signals and is an activity's, and knows what others did meanwhile (I15, I18)", async () => {
    const { db, client, work } = await openShop(places);
    const transaction = isolated(db, level);
    const { order, reserve } = selling(db, async () => {}, transaction);
    work({ order, reserve });
    const busy = await client.start(order, "ink");
    await expect.poll(async () => (await busy.describe()).waitingFor).toHaveLength(1);
    const [run, known] = await transaction(async (tx) => {
      // From now on it reads as of this moment, but at read committed.
      expect(await left(tx, "pen")).toBe(10);
      // What ids say is nothing to a statement that they stand in.
      const since = await client.start(order, "pen", { id: "since ' for update" });
      const started = await client.start(order, "pen", { id: "o-1", tx });
      await started.signal(paid, "ada", { tx });
      await since.signal(paid, "ada", { id: "payment for update", tx });
      await busy.signal(paid, "ada", { tx });
      expect((await client.start(order, "pen", { id: "since ' for update", tx })).incarnation).toBe(since.incarnation);
      return [started, since] as const;
    });
    const results = await Promise.all([run, known, busy].map((each) => each.result()));
    expect(results.map((result) => result.split(", ").at(-1))).toEqual(Array.from({ length: 3 }, () => "paid by ada"));
    expect([await left(db, "pen"), await left(db, "ink")]).toEqual([8, 9]);
  });
});

test("where the server guards snapshots, a transaction that is older than a start or a signal is given up (I3, I15, I18)", async () => {
  const { db, client, storage } = await openShop(places);
  const { order } = selling(db);
  const run = await client.start(order, "pen", { id: "o-1" });
  await db.connection().execute(async (own) => {
    // MySQL, and servers that are older, do not know it: then it sees what there is now, as always.
    const isGuarded = await sql`set session innodb_snapshot_isolation = on`.execute(own).then(
      () => true,
      () => false,
    );
    const attempt = (meanwhile: () => Promise<unknown>, write: (tx: ShopTransaction) => Promise<unknown>) =>
      own.transaction().execute(async (tx) => {
        await left(tx, "pen");
        await meanwhile();
        await client.start(order, "pen", { id: randomUUID(), tx });
        await write(tx);
      });
    const [started] = await Promise.allSettled([
      attempt(
        () => client.start(order, "pen", { id: "o-2" }),
        (tx) => client.start(order, "pen", { id: "o-2", tx }),
      ),
    ]);
    const [signalled] = await Promise.allSettled([
      attempt(
        () => run.signal(paid, "grace"),
        (tx) => run.signal(paid, "ada", { id: "payment", tx }),
      ),
    ]);
    const conflict = { status: "rejected", reason: { code: "unavailable", details: { errno: 1020 } } };
    const expected = isGuarded ? conflict : { status: "fulfilled" };
    expect([started, signalled]).toMatchObject([expected, expected]);
    expect((await client.list({})).runs).toHaveLength(isGuarded ? 2 : 4);
    expect((await storage.getRun("o-1"))!.task!.unread).toBe(isGuarded ? 1 : 2);
  });
});
