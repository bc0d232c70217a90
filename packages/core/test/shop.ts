/** A storage, a table in its database, and an order that writes a row there in a transactional activity. */
import { activity } from "../src/define/activity.ts";
import type { RunInTransaction } from "../src/define/activity-context.ts";
import { workflow } from "../src/define/workflow.ts";
import { memory, type MemoryTransaction, virtualClock } from "../src/memory.ts";
import { Table } from "./table.ts";

type Clock = ReturnType<typeof virtualClock>;

export interface Shop {
  readonly clock: Clock;
  readonly storage: ReturnType<typeof memory>;
  readonly table: Table;
}

export function shop(): Shop {
  const clock = virtualClock();
  const storage = memory({ clock });
  return { clock, storage, table: new Table(storage) };
}

/** A workflow that calls a transactional activity once, whose code first writes the row that its input names. */
export function reserving(
  { table }: Pick<Shop, "table">,
  code: (context: { readonly attempt: number; readonly signal: AbortSignal }) => unknown = () => "reserved",
  options: { readonly transaction?: RunInTransaction<MemoryTransaction>; readonly timeout?: number } = {},
) {
  const { transaction = table.transaction, timeout } = options;
  const reserve = activity(
    { name: "reserve", retry: { delay: "1s", jitter: 0 }, transaction, ...(timeout !== undefined && { timeout }) },
    async (row: string, context) => {
      table.insert(context.tx, row);
      return code(context);
    },
  );
  const order = workflow({ name: "order" }, (ctx, row: string) => ctx.run(reserve, row));
  return { reserve, order };
}
