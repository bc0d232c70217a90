import { type Activity, activity, type TransactionalContext } from "@perdure/core";
import { inTransaction } from "@perdure/storage-postgres";
import type { ControlledTransaction, Kysely, Transaction } from "kysely";
import type { Pool, PoolClient } from "pg";
import { describe, expectTypeOf, it } from "vitest";

interface Shop {
  stock: { item: string; in_stock: number };
}

const db = null as unknown as Kysely<Shop>;
const pool = null as unknown as Pool;

describe("tx of a transactional activity", () => {
  it("is kysely's, from a function that says so", () => {
    const transaction = <T>(run: (tx: Transaction<Shop>) => Promise<T>) => db.transaction().execute(run);
    const reserve = activity({ name: "reserve", transaction }, async (item: string, { tx }) => {
      expectTypeOf(tx).toEqualTypeOf<Transaction<Shop>>();
      const rows = await tx.selectFrom("stock").select("in_stock").where("item", "=", item).execute();
      return rows.length;
    });
    expectTypeOf(reserve).toEqualTypeOf<Activity<string, number>>();
    const isolated = <T>(run: (tx: Transaction<Shop>) => Promise<T>) =>
      db.transaction().setIsolationLevel("serializable").execute(run);
    activity({ name: "reserve", transaction: isolated }, async (_: string, { tx }) => {
      expectTypeOf(tx).toEqualTypeOf<Transaction<Shop>>();
    });
  });

  it("is not known from a bare arrow function, unless the code says it", () => {
    activity({ name: "reserve", transaction: (run) => db.transaction().execute(run) }, async (_: string, { tx }) => {
      expectTypeOf(tx).toEqualTypeOf<unknown>();
    });
    activity(
      { name: "reserve", transaction: (run) => db.transaction().execute(run) },
      async (_: string, { tx }: TransactionalContext<Transaction<Shop>>) => {
        await tx.selectFrom("stock").selectAll().execute();
      },
    );
  });

  it("is a controlled transaction, where the function makes one", () => {
    const transaction = async <T>(run: (tx: ControlledTransaction<Shop>) => Promise<T>): Promise<T> => {
      const tx = await db.startTransaction().execute();
      const answer = await run(tx);
      await tx.commit().execute();
      return answer;
    };
    activity({ name: "reserve", transaction }, async (_: string, { tx }) => {
      expectTypeOf(tx).toEqualTypeOf<ControlledTransaction<Shop>>();
    });
  });

  it("is node-postgres's, from inTransaction", () => {
    activity({ name: "reserve", transaction: inTransaction(pool) }, async (_: string, { tx }) => {
      expectTypeOf(tx).toEqualTypeOf<PoolClient>();
    });
    expectTypeOf(inTransaction(pool)(async (tx) => tx.escapeLiteral(""))).resolves.toBeString();
    // @ts-expect-error -- not a pool
    inTransaction(db);
  });
});
