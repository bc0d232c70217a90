import type { Client } from "@perdure/core";
import { type Fulfilment, paid, type Placed } from "./fulfilment.ts";
import type { InTransaction } from "./transactions.ts";

/** So many pieces may be ordered and not shipped. */
const MOST_PIECES = 20;

/** Where customers place orders and pay. In a shop this would stand behind HTTP. */
export class Counter {
  readonly #client: Client;
  readonly #fulfilment: Fulfilment;
  readonly #inTransaction: InTransaction;

  constructor(client: Client, fulfilment: Fulfilment, inTransaction: InTransaction) {
    this.#client = client;
    this.#fulfilment = fulfilment;
    this.#inTransaction = inTransaction;
  }

  /**
   * Places an order: its row and the run that takes care of it appear together.
   * @throws Error if too much is under way; then neither is there
   */
  place(order: Placed) {
    return this.#inTransaction(async (tx) => {
      const { orderId: id, item, pieces } = order;
      await tx.insertInto("orders").values({ id, item, pieces, status: "placed", receipt: null }).execute();
      const run = await this.#client.start(this.#fulfilment, order, { id, tx });
      const { underWay } = await tx
        .selectFrom("orders")
        .select(({ fn }) => fn.sum("pieces").as("underWay"))
        .where("status", "!=", "shipped")
        .executeTakeFirstOrThrow();
      // This order is among them. If that is too much, it goes again, and so does its run.
      if (Number(underWay) > MOST_PIECES) throw new Error(`More than ${MOST_PIECES} pieces would be under way.`);
      return run;
    });
  }

  /** Takes money: the order is marked as paid, and its run hears of that, at the same moment. */
  async pay(orderId: string, receipt: string): Promise<void> {
    await this.#inTransaction(async (tx) => {
      await tx.updateTable("orders").set({ status: "paid", receipt }).where("id", "=", orderId).execute();
      await this.#client.handle(orderId).signal(paid, { receipt }, { id: receipt, tx });
    });
  }
}
