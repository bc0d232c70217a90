import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { openShop } from "../../storage-sql/test/open-shop.ts";
import { isolated, left, paid, selling, take } from "../../storage-sql/test/users-shop.ts";
import places from "./users-place.ts";

const conflict = { code: "unavailable", retryable: true, details: { code: "40001" } };

describe.each(["read committed", "repeatable read", "serializable"] as const)("at %s, a transaction", (level) => {
  test("starts, signals and is an activity's, if nobody interferes", async () => {
    const { db, client, work } = await openShop(places);
    const transaction = isolated(db, level);
    const { order, reserve } = selling(db, async () => {}, transaction);
    work({ order, reserve });
    const run = await transaction(async (tx) => {
      await take(tx, "ink");
      const started = await client.start(order, "pen", { id: "o-1", tx });
      await started.signal(paid, "ada", { tx });
      return started;
    });
    expect(await run.result()).toBe("pen, reserved by attempt 1, paid by ada");
    expect([await left(db, "pen"), await left(db, "ink")]).toEqual([9, 9]);
  });
});

describe.each(["repeatable read", "serializable"] as const)("at %s, a transaction that is older than", (level) => {
  test("a start under its id is given up, and leaves nothing (I3, I15)", async () => {
    const { db, client } = await openShop(places);
    const { order } = selling(db);
    const place = async (meanwhile: () => Promise<unknown>): Promise<string | undefined> =>
      isolated(
        db,
        level,
      )(async (tx) => {
        await take(tx, "pen");
        await meanwhile();
        await client.start(order, "ink", { id: "before", tx });
        return (await client.start(order, "pen", { id: "o-1", tx })).incarnation;
      });
    const theirs: (string | undefined)[] = [];
    const failed = place(async () => theirs.push((await client.start(order, "pen", { id: "o-1" })).incarnation));
    await expect(failed).rejects.toMatchObject(conflict);
    await expect(client.handle("before").status()).rejects.toMatchObject({ code: "run-not-found" });
    expect(await left(db, "pen")).toBe(10);
    expect(await place(async () => {})).toBe(theirs[0]);
    expect(await left(db, "pen")).toBe(9);
  });

  test("what has happened to a run is given up when it signals that, and leaves nothing (I3, I18)", async () => {
    const { db, client, storage } = await openShop(places);
    const { order } = selling(db);
    const run = await client.start(order, "pen");
    const pay = (meanwhile: () => Promise<unknown>): Promise<void> =>
      isolated(
        db,
        level,
      )(async (tx) => {
        await take(tx, "pen");
        await meanwhile();
        await run.signal(paid, "ada", { id: "payment", tx });
      });
    const unread = async (): Promise<number> => (await storage.getRun(run.runId))!.task!.unread;
    await expect(pay(() => run.signal(paid, "grace"))).rejects.toMatchObject(conflict);
    expect([await unread(), await left(db, "pen")]).toEqual([1, 10]);
    await pay(async () => {});
    expect([await unread(), await left(db, "pen")]).toEqual([2, 9]);
  });

  test("a run that it signals does not know it", async () => {
    const { db, client } = await openShop(places);
    const { order } = selling(db);
    const early = isolated(
      db,
      level,
    )(async (tx) => {
      await take(tx, "pen");
      const run = await client.start(order, "pen");
      await run.signal(paid, "ada", { tx });
    });
    await expect(early).rejects.toMatchObject({ code: "run-not-found" });
    expect(await left(db, "pen")).toBe(10);
  });

  test("the newest renewal of its activity's lease is a failed attempt", { timeout: 15_000 }, async () => {
    const { db, client, work } = await openShop(places);
    const leases = async (): Promise<unknown> =>
      (await sql<{ visible_at: string }>`select visible_at from perdure_tasks where seq > 0`.execute(db)).rows;
    const renewed = async (): Promise<void> => {
      const before = await leases();
      await expect.poll(leases, { timeout: 10_000 }).not.toEqual(before);
    };
    const code = async (_: string, { attempt }: { readonly attempt: number }) => {
      if (attempt === 1) await renewed();
    };
    const { order, reserve } = selling(db, code, isolated(db, level));
    const failed: string[] = [];
    work({ order, reserve }, failed);
    const run = await client.start(order, "pen");
    await run.signal(paid, "ada");
    expect(await run.result()).toBe("pen, reserved by attempt 2, paid by ada");
    expect(failed).toEqual([expect.stringContaining("gave the transaction up")]);
    expect(await left(db, "pen")).toBe(9);
  });
});

test("a conflict that shows at the end only, when everything is written, is a failed attempt, too (I3)", async () => {
  const { db, client, work } = await openShop(places);
  const transaction = isolated(db, "serializable");
  // Each of the two reads what the other writes, so neither can be the first.
  const code = async (_: string, { tx, attempt }: { tx: typeof db; attempt: number }): Promise<void> => {
    await left(tx, "ink");
    if (attempt > 1) return;
    await transaction(async (other) => {
      await left(other, "pen");
      await take(other, "ink");
    });
  };
  const { order, reserve } = selling(db, code, transaction);
  const failed: string[] = [];
  work({ order, reserve }, failed);
  const run = await client.start(order, "pen");
  await run.signal(paid, "ada");
  expect(await run.result()).toBe("pen, reserved by attempt 2, paid by ada");
  expect(failed).toHaveLength(1);
  expect([await left(db, "pen"), await left(db, "ink")]).toEqual([9, 9]);
});
