import type { Topic } from "@perdure/core/storage";

/** A topic as a number: 32 bits of a hash. Two topics with the same number only wake each other's listeners in vain. */
export type TopicCode = number;

/** The code of a topic; `name` is the queue or the run id (FNV-1a over UTF-16 units). */
export function topicCode(of: Topic["of"], name: string): TopicCode {
  let hash = of === "queue" ? 0x811c9dc5 : of === "inbox" ? 0x1b873593 : 0x2c1b3c6d;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Codes as text, to be told to another process. */
export function writeTopics(codes: ReadonlySet<TopicCode>, maxLength: number): string {
  let text = "";
  for (const code of codes) {
    text += `${code.toString(36)} `;
    if (text.length > maxLength) return EVERY_TOPIC;
  }
  return text;
}

/** The codes of a text, or undefined: it may be about any topic. */
export function readTopics(text: string): readonly TopicCode[] | undefined {
  if (text === EVERY_TOPIC) return undefined;
  return text
    .split(" ")
    .filter(Boolean)
    .map((code) => Number.parseInt(code, 36));
}

const EVERY_TOPIC = "*";
