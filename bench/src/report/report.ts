import type { Machine } from "./machine.ts";
import type { NotApplicable, Row } from "./row.ts";

/** Everything that one call of the benchmark has to say; `--json` writes it as it is. */
export interface Report extends Machine {
  /** ISO 8601. */
  readonly date: string;
  readonly command: string;
  readonly rows: readonly Row[];
  readonly notApplicable: readonly NotApplicable[];
}
