import { activity } from "@perdure/core";
import { inTransaction } from "@perdure/storage-mysql";
import type { Pool as CallbackPool } from "mysql2";
import type { Connection, Pool, PoolConnection } from "mysql2/promise";
import { describe, expectTypeOf, it } from "vitest";

describe("tx of a transactional activity", () => {
  it("is mysql2's with promises, from inTransaction and either kind of pool", () => {
    const transaction = inTransaction(null as unknown as Pool | CallbackPool);
    activity({ name: "reserve", transaction }, async (_: string, { tx }) => {
      expectTypeOf(tx).toEqualTypeOf<PoolConnection>();
      await tx.query("select 1");
    });
  });

  it("is not of a connection, which has one transaction at a time", () => {
    // @ts-expect-error -- not a pool
    inTransaction(null as unknown as Connection);
  });
});
