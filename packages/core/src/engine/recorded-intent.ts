import type { Codec } from "../codec/codec.ts";
import type { EventOf } from "../model/event.ts";
import type { Payload } from "../model/payload.ts";
import type { ChildIntent, SendIntent } from "./open-command.ts";

/** A child to be created, as history has it. `state` is what its workflow begins with, if history does not say and somebody here knows. */
export function recordedChild(
  codec: Codec,
  { seq, data }: EventOf<"CHILD_SCHEDULED">,
  state: Payload | null,
): ChildIntent {
  const { version = null, timeoutMs = null, input, state: recorded, ...named } = data;
  const begins = recorded === undefined ? state : codec.encode(recorded);
  return { ...named, seq, version, timeoutMs, input: codec.encode(input), state: begins };
}

/** A message to be sent, as history has it. */
export function recordedSend(codec: Codec, { seq, data }: EventOf<"SIGNAL_SENT">): SendIntent {
  return { ...data, seq, payload: codec.encode(data.payload) };
}
