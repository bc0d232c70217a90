import { Failure } from "./failure.ts";
import type { Body, Item } from "./item.ts";
import { parseCondition } from "./query/parse.ts";
import { isTrue } from "./query/evaluate.ts";

export interface Patch {
  readonly operations: readonly { readonly op: string; readonly path: string; readonly value?: unknown }[];
  /** `from c where …`: else 412. */
  readonly condition?: string;
}

/** The item after a partial update of its top-level properties. */
export function patched(item: Item, { operations, condition }: Patch): Body {
  if (operations.length > 10) throw new Failure(400, "The number of patch operations can't exceed '10'.");
  if (condition !== undefined && !isTrue(parseCondition(condition), item, new Map()))
    throw new Failure(412, "Operation cannot be performed because one of the specified precondition is not met.");
  const body: Record<string, unknown> = { ...item };
  for (const { op, path, value } of operations) {
    const name = path.slice(1);
    if (!path.startsWith("/") || name === "" || name.includes("/")) throw new Failure(400, `Invalid path ${path}.`);
    const isThere = Object.hasOwn(body, name);
    if ((op === "remove" || op === "replace") && !isThere)
      throw new Failure(400, `For ${op} operation, path ${path} does not exist.`);
    if (op === "remove") delete body[name];
    else if (op === "add" || op === "set" || op === "replace") body[name] = value;
    else if (op === "incr") body[name] = Number(body[name] ?? 0) + Number(value);
    else throw new Failure(400, `Unknown patch operation ${op}.`);
  }
  return body;
}
