import { requireName } from "../define/require-name.ts";
import type { Execution } from "./execution.ts";

/**
 * Whether the code that wrote the run's history from here on had the patch: yes where that code is written now. A run in which the
 * code went on without it keeps its numbers: it has no command for the question.
 */
export function patched(execution: Execution, id: string): boolean {
  requireName(id, "id of a patch");
  const known = execution.patches.get(id);
  if (known !== undefined) return known;
  const asked = execution.askUnlessPast(["VERSION_MARKED"], id);
  if (asked !== null && asked.recorded === undefined) execution.record("VERSION_MARKED", asked.command, { id });
  execution.patches.set(id, asked !== null);
  return asked !== null;
}

/** Takes the mark of a patch that no run is without any more. A new one says that code may come without asking for it. */
export function deprecatePatch(execution: Execution, id: string): void {
  requireName(id, "id of a patch");
  if (execution.patches.has(id)) return;
  execution.patches.set(id, true);
  const asked = execution.askUnlessPast(["VERSION_MARKED"], id);
  if (asked === null || asked.recorded !== undefined) return;
  execution.record("VERSION_MARKED", asked.command, { id, deprecated: true });
}
