import type { Backend } from "../backends/backend.ts";
import type { Figure, Settings } from "../report/row.ts";

/** One repeat of a workload on a backend. */
export interface Measurement {
  readonly backend: Backend;
  /** Leaves out what only waits. */
  readonly quick: boolean;
  /** Measures processes that have done the same a few times already. */
  readonly warm: boolean;
  /** A number of runs or activities, scaled; never less than `least`. */
  readonly count: (full: number, least?: number) => number;
  readonly record: (figure: Figure, value: number, settings: Settings) => void;
  /** Says that the backend cannot do this at all, and why. */
  readonly notApplicable: (reason: string) => void;
}

/** Something that users do, and its figures. */
export interface Workload {
  /** As in the design: W1, W2, … */
  readonly name: string;
  /** Does it once. */
  readonly measure: (measurement: Measurement) => Promise<void>;
}
