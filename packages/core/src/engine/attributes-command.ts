import { requireAttributes } from "../define/require-attributes.ts";
import type { Attributes } from "../model/run.ts";
import type { Execution } from "./execution.ts";

/** Replaces the named search attributes of the run and keeps the others. */
export function setAttributes(execution: Execution, attributes: Attributes): void {
  const checked = requireAttributes(attributes);
  const asked = execution.askNow(["ATTRIBUTES_SET"], "");
  if (asked.recorded === undefined) execution.record("ATTRIBUTES_SET", asked.command, { attributes: checked });
  execution.mergeAttributes(checked, asked.recorded === undefined);
}
