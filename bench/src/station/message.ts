import type { TaskName } from "../tasks/index.ts";

/** From the station's owner to its process. */
export interface Call {
  readonly no: number;
  readonly task: TaskName;
  readonly args: unknown;
}

/** And back. */
export type Answer =
  | { readonly no: number; readonly result: unknown }
  | { readonly no: number; readonly error: string };
