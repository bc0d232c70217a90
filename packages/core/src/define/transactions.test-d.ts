import { describe, expectTypeOf, it } from "vitest";
import { schema } from "../../test/schema.ts";
import {
  type Activity,
  activity,
  createClient,
  createWorker,
  type TransactionalContext,
  type Workflow,
  workflow,
} from "../index.ts";
import { memory } from "../memory.ts";

const client = createClient({ storage: memory() });

describe("transactional activities", () => {
  interface Transaction {
    insert(row: string): Promise<void>;
  }
  const begin = <T>(run: (tx: Transaction) => Promise<T>): Promise<T> => run(null as never);

  it("know their transaction", async () => {
    const reserve = activity({ name: "reserve", transaction: begin }, async (item: { id: string }, context) => {
      expectTypeOf(context).toEqualTypeOf<TransactionalContext<Transaction>>();
      const { tx, attempt, heartbeat } = context;
      expectTypeOf(tx).toEqualTypeOf<Transaction>();
      expectTypeOf(attempt).toEqualTypeOf<number>();
      heartbeat();
      await client.start(pay, 1, { tx });
      return item.id.length;
    });
    expectTypeOf(reserve).toEqualTypeOf<Activity<{ id: string }, number>>();
    const pay = workflow({ name: "pay" }, (ctx, n: number) => ctx.run(reserve, { id: String(n) }));
    expectTypeOf(pay).toEqualTypeOf<Workflow<number, number, Record<string, never>>>();
    createWorker({ storage: memory(), workflows: [pay], activities: [reserve] });
  });

  it("with schemas, too", () => {
    const options = { name: "reserve", transaction: begin, input: schema<{ n: string }, { n: number }>() };
    const reserve = activity({ ...options, output: schema<boolean>() }, ({ n }, { tx }) => {
      expectTypeOf(n).toEqualTypeOf<number>();
      expectTypeOf(tx).toEqualTypeOf<Transaction>();
      return true;
    });
    expectTypeOf(reserve).toEqualTypeOf<Activity<{ n: string }, boolean, { n: number }>>();
  });

  it("do not know it from a function without types, unless their code says it", () => {
    activity({ name: "a", transaction: (run) => begin(run) }, async (_: string, { tx }) => {
      expectTypeOf(tx).toEqualTypeOf<unknown>();
    });
    activity(
      { name: "a", transaction: (run) => begin(run) },
      async (_: string, { tx }: TransactionalContext<Transaction>) => {
        await tx.insert("row");
      },
    );
    // @ts-expect-error -- another transaction than the function begins
    activity({ name: "a", transaction: begin }, async (_: string, { tx }: TransactionalContext<Date>) => tx);
    const storage = memory();
    activity({ name: "a", transaction: (run) => storage.transaction(run) }, async (_: string, { tx }) => {
      await client.start(
        workflow({ name: "w" }, async () => 1),
        undefined,
        { tx },
      );
    });
  });

  it("have no checkpoints and no cache, and others have no transaction", () => {
    // @ts-expect-error -- no checkpoint
    activity({ name: "a", transaction: begin }, async (_: string, { checkpoint }) => checkpoint(1));
    // @ts-expect-error -- a cache
    activity({ name: "a", transaction: begin, cache: { key: () => "" } }, async () => {});
    // @ts-expect-error -- no transaction
    activity({ name: "a" }, async (_: string, { tx }) => tx);
    // @ts-expect-error -- answers nothing
    activity({ name: "a", transaction: async (run) => void (await begin(run)) }, async () => {});
  });

  it("are for one of many starts no option", async () => {
    const quick = workflow({ name: "quick" }, async (_, n: number) => n);
    await client.startMany([{ definition: quick, input: 1 }], { tx: null });
    // @ts-expect-error -- one transaction for all
    await client.startMany([{ definition: quick, input: 1, options: { tx: null } }]);
  });
});
