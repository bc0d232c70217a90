import type { Machine } from "./machine.ts";
import type { ServerEntry } from "../server/describe-servers.ts";
import type { NotApplicable, Row } from "./row.ts";

/** Everything that one call of the benchmark has to say; `--json` writes it as it is. */
export interface Report extends Machine {
  /** ISO 8601. */
  readonly date: string;
  readonly command: string;
  /** What the stores were in, where that is no library. */
  readonly servers: readonly ServerEntry[];
  readonly rows: readonly Row[];
  readonly notApplicable: readonly NotApplicable[];
}
