import type { Kysely, Transaction } from "kysely";

/** The shop's own tables. The runs live in the same database, in tables of theirs. */
export interface Tables {
  readonly orders: {
    readonly id: string;
    readonly item: string;
    readonly pieces: number;
    readonly status: "placed" | "reserved" | "paid" | "shipped";
    readonly receipt: string | null;
  };
  readonly stock: {
    readonly item: string;
    readonly pieces: number;
  };
}

export type Shop = Kysely<Tables>;
export type ShopTransaction = Transaction<Tables>;

export async function createTables(shop: Shop): Promise<void> {
  await shop.schema
    .createTable("orders")
    .addColumn("id", "varchar(40)", (column) => column.primaryKey())
    .addColumn("item", "varchar(40)", (column) => column.notNull())
    .addColumn("pieces", "integer", (column) => column.notNull())
    .addColumn("status", "varchar(10)", (column) => column.notNull())
    .addColumn("receipt", "varchar(40)")
    .execute();
  await shop.schema
    .createTable("stock")
    .addColumn("item", "varchar(40)", (column) => column.primaryKey())
    .addColumn("pieces", "integer", (column) => column.notNull())
    .execute();
}
