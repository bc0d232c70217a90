import type { Millis, Payload, StoredEvent, StoredMessage, TaskId } from "@perdure/core/storage";

/** What a script answers: texts, nothing, and lists of both. */
export type Reply = string | null | readonly Reply[];

export type Replies = readonly Reply[];

export function textOf(reply: Reply | undefined): string {
  return reply as string;
}

/** Nothing for what is not there. */
export function payloadOf(reply: Reply | undefined): Payload | null {
  return (reply ?? null) as string | null;
}

export function numberOf(reply: Reply | undefined): number {
  return Number(reply as string);
}

/** Absent and empty are `null`. */
export function instantOf(reply: Reply | undefined): Millis | null {
  return reply == null || reply === "" ? null : Number(reply as string);
}

export function listOf(reply: Reply | undefined): Replies {
  return (reply ?? []) as Replies;
}

export function taskIdOf(reply: Reply | undefined): TaskId {
  return reply as TaskId;
}

/** A list of four texts for each message. */
export function messagesOf(reply: Reply | undefined): StoredMessage[] {
  const flat = listOf(reply);
  const messages: StoredMessage[] = [];
  for (let i = 0; i < flat.length; i += 4) {
    const [no, at, dedupeId, data] = flat.slice(i, i + 4);
    messages.push({ no: numberOf(no), at: numberOf(at), dedupeId: textOf(dedupeId), data: textOf(data) });
  }
  return messages;
}

/** An event as it is stored: command, time, length of its type, type, data. Its seq is its place. */
export function eventText({ type, command, at, data }: Omit<StoredEvent, "seq">): string {
  return `${command ?? ""} ${at} ${type.length} ${type}${data}`;
}

export function eventsOf(reply: Reply | undefined, after: number): StoredEvent[] {
  return listOf(reply).map((stored, i) => {
    const text = textOf(stored);
    const command = text.indexOf(" ");
    const at = text.indexOf(" ", command + 1);
    const length = text.indexOf(" ", at + 1);
    const data = length + 1 + Number(text.slice(at + 1, length));
    return {
      seq: after + i + 1,
      type: text.slice(length + 1, data),
      command: command === 0 ? null : Number(text.slice(0, command)),
      at: Number(text.slice(command + 1, at)),
      data: text.slice(data),
    };
  });
}
