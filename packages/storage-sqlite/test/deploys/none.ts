import { workflow } from "@perdure/core";

/** A deploy that has forgotten the workflow. */
export const other = workflow({ name: "other" }, async () => null);
