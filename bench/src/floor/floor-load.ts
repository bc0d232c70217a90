/** What a storage floor has to do: W1 over a store in which its runs are enqueued. */
export interface FloorLoad {
  readonly runs: number;
  readonly activities: number;
  /** So many runs share a transaction. */
  readonly batch: number;
}

/**
 * Does W1 by prepared statements alone, on the tables that the adapter made: a claim of a batch, then a commit for each activity of
 * the whole batch, the last of which closes the runs. As durable as the adapter. Calls `started` when all is prepared.
 */
export type Floor = (place: string, load: FloorLoad, started: () => void) => Promise<void>;
