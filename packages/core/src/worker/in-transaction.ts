import type { RunInTransaction } from "../define/activity-context.ts";
import { UsageError } from "../errors/index.ts";

/** How the last call of the work has ended. */
type Done<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Has `work` done in a transaction that the user's function begins and ends. Answers what the work did that was committed last.
 * @throws what the work threw last, or else what the function threw: then nobody knows whether the transaction was committed.
 * UsageError `invalid-argument` when the function has not called, or not awaited, what it was given
 */
export async function inTransaction<T>(
  activity: string,
  run: RunInTransaction<unknown>,
  work: (tx: unknown) => Promise<T>,
): Promise<T> {
  let done: Done<T> | null = null;
  const observed = async (tx: unknown): Promise<void> => {
    done = null;
    try {
      done = { value: await work(tx) };
    } catch (error) {
      done = { error };
      throw error;
    }
  };
  let failure: { readonly error: unknown } | null = null;
  try {
    await run(observed);
  } catch (error) {
    failure = { error };
  }
  const last = done as Done<T> | null;
  if (last !== null && "error" in last) throw last.error;
  if (failure !== null) throw failure.error;
  if (last !== null) return last.value;
  throw new UsageError(
    "invalid-argument",
    `The transaction of activity "${activity}" was over before its code was. Have \`transaction\` call the function that it is given, and await it: (run) => db.transaction().execute(run).`,
  );
}
