import type { Attributes, AttributeValue } from "@perdure/core/storage";
import { query } from "./query.ts";
import { type Steps, write } from "./steps.ts";

/** Makes the attributes of a run findable. They stand once more, in order, as JSON in the run's row. */
export function* indexAttributes(run: number, attributes: Attributes): Steps<void> {
  for (const [name, value] of Object.entries(attributes)) {
    yield* write(insertAttribute, { run, name, value: attributeKey(value) });
  }
}

export function* dropAttributes(run: number): Steps<void> {
  yield* write(deleteAttributes, { run });
}

/** A value as text that tells types apart. */
export function attributeKey(value: AttributeValue): string {
  return `${(typeof value)[0]}${String(value)}`;
}

const insertAttribute = query((db, { run, name, value }: { run: number; name: string; value: string }) =>
  db.insertInto("perdure_attributes").values({ run, name, value }),
);

const deleteAttributes = query((db, args: { run: number }) =>
  db.deleteFrom("perdure_attributes").where("run", "=", args.run),
);
