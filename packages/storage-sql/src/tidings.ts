import { readTopics, type TopicCode, writeTopics } from "./topics.ts";

/** What a hint says to other processes: whose it is (nobody's, if all are to hear it), and what was woken. */
export function tidings(origin: string, topics: ReadonlySet<TopicCode>, maxLength: number): string {
  return `${origin};${writeTopics(topics, maxLength)}`;
}

/** The topics of a hint; undefined: it may be about any. Null for one of the reader's own. */
export function readTidings(text: string, reader: string): readonly TopicCode[] | undefined | null {
  const [origin = "", topics = ""] = text.split(";");
  return origin === reader ? null : readTopics(topics);
}
