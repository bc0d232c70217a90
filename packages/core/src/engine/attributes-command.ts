import { requireAttributes } from "../define/require-attributes.ts";
import type { Attributes } from "../model/run.ts";
import type { Execution } from "./execution.ts";

/** Replaces the named search attributes of the run and keeps the others. */
export function setAttributes(execution: Execution, attributes: Attributes): void {
  const checked = requireAttributes(attributes);
  const { command, recorded } = execution.askNow(["ATTRIBUTES_SET"], "");
  const fresh = recorded === undefined ? execution.record("ATTRIBUTES_SET", command, { attributes: checked }) : null;
  execution.mergeAttributes(checked, fresh);
}
