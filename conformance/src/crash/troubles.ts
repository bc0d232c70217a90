/** What happened to workers, by their names. */
export interface Troubles {
  readonly killed: ReadonlySet<string>;
  /** Those who may have lost a lease alive. */
  readonly slow: ReadonlySet<string>;
}

/** How often side effects happened again. */
export interface Repetitions {
  readonly executions: number;
  /** Repeated because their worker was killed. */
  readonly afterKill: number;
  /** Repeated because their worker lost its lease alive: it was too slow, or told so by a fault. */
  readonly afterLoss: number;
  /** Executions that went on from the checkpoint of an earlier one. */
  readonly resumed: number;
}
