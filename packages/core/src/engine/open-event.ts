import type { Codec } from "../codec/codec.ts";
import { openData } from "../codec/envelope.ts";
import type { WorkflowEvent } from "../model/event.ts";
import type { StoredEvent } from "../storage/event.ts";

/**
 * Reads a recorded event.
 * @throws StorageError `corrupt`
 */
export function openEvent(codec: Codec, { seq, type, command, at, data }: StoredEvent): WorkflowEvent {
  return { seq, type, command, at, data: openData(codec, data) } as WorkflowEvent;
}
