import { query } from "./query.ts";
import { row, type Steps, write } from "./steps.ts";

/** The number of a namespace, if it was ever entered. */
export function* namespaceNumber(name: string): Steps<number | undefined> {
  return (yield* row(findNamespace, { name }))?.no;
}

/** The number of a namespace; whoever is first enters it. */
export function* enterNamespace(name: string): Steps<number> {
  yield* write(insertNamespace, { name });
  return (yield* row(findNamespace, { name }))!.no;
}

const findNamespace = query((db, args: { name: string }) =>
  db.selectFrom("perdure_namespaces").select("no").where("name", "=", args.name),
);

const insertNamespace = query((db, args: { name: string }, dialect) =>
  dialect.insertNew(db.insertInto("perdure_namespaces").values({ name: args.name, discarded: 0 })),
);
