/** What a storage floor has to do: W1 over a store in which its runs are enqueued. */
export interface FloorLoad {
  readonly runs: number;
  readonly activities: number;
  /** So many runs share a transaction. */
  readonly batch: number;
}
