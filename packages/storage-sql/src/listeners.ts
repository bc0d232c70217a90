import type { Subscription, Topic } from "@perdure/core/storage";
import { type TopicCode, topicCode } from "./topics.ts";

interface Listener {
  readonly onWake: (topic: Topic) => void;
  /** What it waits for, by code: usually one topic each. */
  readonly topics: Map<TopicCode, Topic[]>;
}

/** Who of this process waits for what. */
export class Listeners {
  readonly #listeners = new Set<Listener>();
  /** Codes that were heard and not told yet; undefined: of any topic. */
  #heard: Set<TopicCode> | undefined = new Set();
  #isTelling = false;

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  add(onWake: (topic: Topic) => void): Subscription {
    const listener: Listener = { onWake, topics: new Map() };
    this.#listeners.add(listener);
    return {
      add: (topic) => addTopic(listener, topic),
      delete: (topic) => deleteTopic(listener, topic),
      close: async () => void this.#listeners.delete(listener),
    };
  }

  /** Tells everybody who waits for one of these topics; without codes, everybody. Later than now, each once, never failing. */
  hear(codes: Iterable<TopicCode> | undefined): void {
    if (this.isEmpty) return;
    if (codes === undefined) this.#heard = undefined;
    else if (this.#heard !== undefined) for (const code of codes) this.#heard.add(code);
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    const codes = this.#heard;
    this.#heard = new Set();
    this.#isTelling = false;
    for (const { onWake, topics } of this.#listeners) {
      for (const topic of codes === undefined ? [...topics.values()].flat() : topicsOf(topics, codes)) {
        try {
          onWake(topic);
        } catch {
          // A hint may be lost: whoever waits also looks by time.
        }
      }
    }
  }
}

function topicsOf(topics: ReadonlyMap<TopicCode, readonly Topic[]>, codes: ReadonlySet<TopicCode>): readonly Topic[] {
  return [...codes].flatMap((code) => topics.get(code) ?? []);
}

function addTopic({ topics }: Listener, topic: Topic): void {
  const code = codeOf(topic);
  const known = topics.get(code);
  if (known === undefined) topics.set(code, [topic]);
  else if (!known.some((other) => isSame(other, topic))) known.push(topic);
}

function deleteTopic({ topics }: Listener, topic: Topic): void {
  const code = codeOf(topic);
  const left = topics.get(code)?.filter((other) => !isSame(other, topic)) ?? [];
  if (left.length === 0) topics.delete(code);
  else topics.set(code, left);
}

function codeOf(topic: Topic): TopicCode {
  return topicCode(topic.of, nameOf(topic));
}

function isSame(a: Topic, b: Topic): boolean {
  return a.of === b.of && nameOf(a) === nameOf(b);
}

function nameOf(topic: Topic): string {
  return topic.of === "queue" ? topic.queue : topic.runId;
}
