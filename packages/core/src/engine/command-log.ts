import type { SealedValues } from "../codec/envelope.ts";
import type { Codec } from "../codec/codec.ts";
import type { EventData, EventOf, EventType } from "../model/event.ts";
import type { Seq } from "../model/ids.ts";

/** A numbered command, and what history has for it. */
export interface Asked<T extends EventType> {
  readonly command: number;
  readonly recorded: EventOf<T> | undefined;
}

/** Where commands that are answered at once are numbered and recorded. */
export interface CommandLog {
  readonly environment: { readonly codec: Codec };
  /** @throws DeterminismError when the code must not go on. */
  askNow<T extends EventType>(types: readonly T[], name: string): Asked<T>;
  /** Answers the seq of the record. */
  record<T extends EventType>(
    type: T,
    command: number,
    plain: Omit<EventData[T], keyof SealedValues>,
    values?: SealedValues,
  ): Seq;
}
