import { take } from "../../storage-sql/test/users-shop.ts";
import { describeUsersTransactions } from "../../storage-sql/test/users-transactions.ts";
import places from "./users-place.ts";

describeUsersTransactions(places, {
  hint: { best: 50, usual: 250 },
  levels: ["read committed", "repeatable read", "serializable"],
  conflict: {
    level: "repeatable read",
    async provoke(tx, db) {
      await take(db, "ink");
      await take(tx, "ink");
    },
  },
});
