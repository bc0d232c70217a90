import type { Execution } from "../engine/execution.ts";
import type { Millis } from "../model/ids.ts";

/** When something of a run happens by itself: what it waits for, or its deadline. `null`: never. */
export function wakeTimeOf({ ending, open, run }: Execution): Millis | null {
  if (ending !== null) return null;
  const dueAt = open.nextDueAt();
  const { deadlineAt } = run;
  if (dueAt === null || deadlineAt === null) return dueAt ?? deadlineAt;
  return Math.min(dueAt, deadlineAt);
}
