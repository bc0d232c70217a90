import { encodeAs } from "../codec/encode-as.ts";
import { UsageError } from "../errors/index.ts";
import { requireFunction } from "../errors/require-function.ts";
import type { Codec } from "../codec/codec.ts";
import { requireName } from "../define/require-name.ts";
import { failureToError } from "../model/failure-to-error.ts";
import type { Failure } from "../model/failure.ts";
import type { Payload } from "../model/payload.ts";
import { toFailure } from "../model/to-failure.ts";
import type { Execution } from "./execution.ts";

/** Runs a function once, and answers from the record after that. */
export function sideEffect<T>(execution: Execution, name: string, fn: () => T): T {
  requireName(name, "name of a side effect");
  const { codec } = execution.environment;
  const { command, recorded } = execution.askNow(["SIDE_EFFECT_RECORDED"], name);
  if (recorded === undefined) {
    const { value, failure } = outcomeOf(codec, name, fn);
    execution.record("SIDE_EFFECT_RECORDED", command, { name }, { value, failure });
    if (value !== undefined) return codec.decode(value) as T;
    throw failureToError(codec.decode(failure!) as Failure);
  }
  if (recorded.data.failure !== undefined) throw failureToError(recorded.data.failure);
  return recorded.data.value as T;
}

/** What it throws is an outcome like what it returns: a replay must not try again. */
function outcomeOf(
  codec: Codec,
  name: string,
  fn: () => unknown,
): { readonly value?: Payload; readonly failure?: Payload } {
  try {
    const value = requireFunction(fn, `function of side effect "${name}"`)();
    if (value instanceof Promise) {
      value.catch(() => {});
      throw new UsageError(
        "invalid-argument",
        `The function of side effect "${name}" answered a promise, and workflow code cannot wait for it. Use ctx.run("${name}", …).`,
      );
    }
    return { value: encodeAs(codec, value, "value of side effect", name) };
  } catch (error) {
    return { failure: codec.encode(toFailure(error)) };
  }
}
