import type { Subscription, Topic } from "@perdure/core/storage";

interface Listener {
  readonly onWake: (topic: Topic) => void;
  /** What it waits for, by its mark. */
  readonly topics: Map<string, Topic>;
}

/** Who of this process waits for what. */
export class Listeners {
  readonly #listeners = new Set<Listener>();

  add(onWake: (topic: Topic) => void): Subscription {
    const listener: Listener = { onWake, topics: new Map() };
    this.#listeners.add(listener);
    return {
      add: (topic) => void listener.topics.set(markOf(topic), { ...topic }),
      delete: (topic) => void listener.topics.delete(markOf(topic)),
      close: async () => void this.#listeners.delete(listener),
    };
  }

  clear(): void {
    this.#listeners.clear();
  }

  /** Tells everybody who waits for one of these topics; without marks, everybody. Never fails. */
  hear(marks: readonly string[] | undefined): void {
    for (const listener of this.#listeners) {
      for (const mark of marks ?? [...listener.topics.keys()]) {
        const topic = listener.topics.get(mark);
        if (topic === undefined || !this.#listeners.has(listener)) continue;
        try {
          listener.onWake(topic);
        } catch {
          // A hint may be lost: whoever waits also looks by time.
        }
      }
    }
  }
}

/** A topic as scripts publish it. */
function markOf(topic: Topic): string {
  return topic.of === "queue" ? `q${topic.queue}` : `${topic.of === "inbox" ? "i" : "c"}${topic.runId}`;
}
