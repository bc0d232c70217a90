import type { ClaimedWorkflowTask, ClaimRequest, ClaimResult, StoredEvent } from "@perdure/core/storage";
import {
  claimedWorkflow,
  claimResult,
  type ConnectionPool,
  each,
  headerOf,
  readBelongings,
  type SqlDriver,
  type Store,
} from "@perdure/storage-sql";
import { type ClaimedRow, claimStatement } from "./claim-statement.ts";

/** A row of a task, not that of an answer without any. */
type TaskRow = ClaimedRow & { readonly run: number };

/** Claims of the plain kind: workflow tasks that are ready, by a worker that knows of all that it holds. */
export class PlainClaims {
  readonly #pool: ConnectionPool;
  readonly #driver: SqlDriver;
  readonly #sql: string;

  constructor(pool: ConnectionPool, driver: SqlDriver, table: (name: string) => string, clock: string) {
    this.#pool = pool;
    this.#driver = driver;
    this.#sql = claimStatement(table, clock);
  }

  /** The answer to a plain claim; undefined for any other, which has claimed nothing. */
  async claim(store: Store, request: ClaimRequest): Promise<ClaimResult | undefined> {
    if (request.taskIds !== undefined || request.kinds.join() !== "workflow") return undefined;
    const held = numbersOf(store, request);
    if (held === undefined) return undefined;
    const rows = await this.#execute([
      store.ns,
      request.queues,
      request.handlers.workflows,
      request.workerInstance,
      held.join(","),
      request.overdue,
      Math.min(request.limit, store.limits.claimTasks),
      request.leaseMs,
      request.workerId,
      request.inlineEvents,
    ]);
    const { now, is_special, next_ready_at: nextReadyAt } = rows[0]!;
    if (is_special) return undefined;
    const tasks = rows.filter((row): row is TaskRow => row.run !== null);
    return claimResult(now, await this.#complete(store, request, tasks), nextReadyAt);
  }

  async #execute(values: readonly unknown[]): Promise<readonly ClaimedRow[]> {
    const statement = { sql: this.#sql, values, name: "claim" };
    const [result] = await this.#pool.with((connection) => connection.send([statement]));
    return result!.rows as readonly ClaimedRow[];
  }

  /** Reads what did not come with the tasks. */
  async #complete(
    store: Store,
    request: ClaimRequest,
    tasks: readonly TaskRow[],
  ): Promise<readonly ClaimedWorkflowTask[]> {
    const some = tasks.filter(({ is_stale, inbox_last, inbox_acked }) => is_stale || inbox_last > inbox_acked);
    const keyOf = ({ run }: TaskRow): string => String(run);
    const read =
      some.length === 0
        ? []
        : await this.#driver.read(() => each(some, keyOf, (task) => readBelongings(task, request)));
    const belongings = new Map(some.map((task, at) => [task, read[at]!]));
    return tasks.map((task) => {
      const own = belongings.get(task) ?? { header: headerOf(task), messages: [], events: eventsOf(task) };
      return claimedWorkflow(store, task, own, false);
    });
  }
}

/** The numbers of the runs that the worker holds; undefined if not all are known, or something else is held. */
function numbersOf({ numbers }: Store, { holding }: ClaimRequest): readonly number[] | undefined {
  const held: number[] = [];
  for (const taskId of holding) {
    const run = numbers.byTask(taskId);
    if (run === undefined) return undefined;
    held.push(run.no);
  }
  return held;
}

function eventsOf({ events }: ClaimedRow): readonly StoredEvent[] | null {
  return events?.map(([seq, type, command, at, data]) => ({ seq, type, command, at, data })) ?? null;
}
