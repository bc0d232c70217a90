import { describeUsersTransactions } from "../../storage-sql/test/users-transactions.ts";
import { deadlock } from "./deadlock.ts";
import places from "./users-place.ts";

describeUsersTransactions(places, {
  // It polls, twice a second if nothing happens.
  hint: { best: 600, usual: 1_000 },
  levels: ["read committed", "repeatable read"],
  conflict: { level: "repeatable read", provoke: deadlock },
});
