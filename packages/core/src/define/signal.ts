import { requireSchema } from "../errors/require-schema.ts";
import type { InferInput, InferOutput, Schema } from "../model/schema.ts";
import { requireName } from "./require-name.ts";

/** A named message to a run. `Sent` is what senders give, `Received` what the workflow gets. */
export interface Signal<Sent, Received = Sent> {
  readonly kind: "signal";
  readonly name: string;
  readonly schema: Schema<Sent, Received> | null;
}

/** Any signal, whatever its types. */
// oxlint-disable-next-line typescript/no-explicit-any -- handles send signals of all types
export type AnySignal = Signal<any, any>;

/**
 * Defines a signal. With a schema, its payload is validated where it is sent.
 *
 * @throws UsageError `invalid-argument` for a bad name, or what is no schema.
 * @example
 * const approved = signal("approved", z.object({ by: z.string() }));
 */
export function signal<S extends Schema>(name: string, schema: S): Signal<InferInput<S>, InferOutput<S>>;
export function signal<Payload = void>(name: string): Signal<Payload>;
export function signal(name: string, schema?: Schema): AnySignal {
  return {
    kind: "signal",
    name: requireName(name, "name of a signal"),
    schema: requireSchema(schema, `schema of signal "${name}"`),
  };
}
