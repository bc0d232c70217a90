import type { Schema } from "../model/schema.ts";

/** What a workflow is without its code. `Input` is what `start` takes, `Output` what `result()` gives. */
export interface Definition<Input, Output> {
  readonly kind: "workflow";
  readonly name: string;
  readonly version: string | null;
  readonly description: string | null;
  readonly inputSchema: Schema<Input, unknown> | null;
  readonly outputSchema: Schema<unknown, Output> | null;
  readonly initialState: ((input: unknown) => unknown) | null;
  readonly timeoutMs: number | null;
  /** Where its runs go unless `start` says otherwise. */
  readonly queue: string;
}
