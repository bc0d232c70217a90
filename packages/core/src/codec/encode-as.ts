import { isPerdureError, UsageError } from "../errors/index.ts";
import type { Payload } from "../model/payload.ts";
import type { Codec } from "./codec.ts";

/**
 * Encodes a value. A refusal says which one it is: the `kind` of value, such as `input of activity`, and the name of its owner.
 * @throws UsageError `not-serializable`, `payload-too-large`
 */
export function encodeAs(codec: Pick<Codec, "encode">, value: unknown, kind: string, name: string): Payload {
  try {
    return codec.encode(value);
  } catch (error) {
    if (!isPerdureError(error, "not-serializable") && !isPerdureError(error, "payload-too-large")) throw error;
    const { code, message, details, cause } = error;
    throw new UsageError(code, message.replace(/^The value/u, `The ${kind} "${name}"`), {
      details,
      ...(cause !== undefined && { cause }),
    });
  }
}
