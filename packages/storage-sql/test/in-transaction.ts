import { describe, expect, test } from "vitest";

/** A user's empty table `stock`, and a pool of one connection. */
export interface Stock<Tx> {
  /** What the adapter's `inTransaction` makes of the pool. */
  transact<T>(run: (tx: Tx) => Promise<T>): Promise<T>;
  insert(tx: Tx, item: string): Promise<unknown>;
  /** The items as others see them. */
  items(): Promise<readonly unknown[]>;
  /** Which connection the pool has. */
  connection(): Promise<number>;
  /** Ends a connection as an administrator would; resolves when its client has heard of it. */
  end(tx: Tx): Promise<void>;
}

export function describeInTransaction<Tx>(newStock: () => Promise<Stock<Tx>>): void {
  describe("inTransaction", () => {
    test("commits what a function did, and answers what it answered", async () => {
      const { transact, insert, items, connection } = await newStock();
      const before = await connection();
      const answer = await transact(async (tx) => {
        await insert(tx, "pen");
        expect(await items()).toEqual([]);
        return 7;
      });
      expect(answer).toBe(7);
      expect(await items()).toEqual(["pen"]);
      expect(await connection()).toBe(before);
    });

    test("rolls back what a function did that throws, and throws that", async () => {
      const { transact, insert, items, connection } = await newStock();
      const before = await connection();
      const problem = new Error("no pen");
      const failing = transact(async (tx) => {
        await insert(tx, "pen");
        throw problem;
      });
      await expect(failing).rejects.toBe(problem);
      expect(await items()).toEqual([]);
      expect(await connection()).toBe(before);
    });

    test("closes a connection that is lost while the function works, and the process stays", async () => {
      const { transact, insert, items, connection, end } = await newStock();
      const before = await connection();
      const interrupted = transact(async (tx) => {
        await insert(tx, "pen");
        await end(tx);
        return "too late";
      });
      await expect(interrupted).rejects.toThrow(/closed state|lost|not queryable|terminat/iu);
      expect(await items()).toEqual([]);
      expect(await connection()).not.toBe(before);
    });
  });
}
