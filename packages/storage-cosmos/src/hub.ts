import type { Subscription, Topic } from "@perdure/core/storage";

interface Listener {
  readonly onWake: (topic: Topic) => void;
  readonly topics: Set<string>;
}

/** Who of this process waits for what in one namespace of one store. */
export class Hub {
  readonly #listeners = new Set<Listener>();

  subscribe(onWake: (topic: Topic) => void): Subscription {
    const listener: Listener = { onWake, topics: new Set() };
    this.#listeners.add(listener);
    return {
      add: (topic) => void listener.topics.add(nameOf(topic)),
      delete: (topic) => void listener.topics.delete(nameOf(topic)),
      close: async () => void this.#listeners.delete(listener),
    };
  }

  /** Tells everybody who waits for it. Never fails. */
  hear(topic: Topic): void {
    for (const listener of this.#listeners) {
      if (!listener.topics.has(nameOf(topic))) continue;
      try {
        listener.onWake({ ...topic });
      } catch {
        // A hint may be lost: whoever waits also looks by time.
      }
    }
  }
}

const hubs = new Map<string, Hub>();

/** One for all clients of a store in this process. */
export function hubOf(store: string): Hub {
  let hub = hubs.get(store);
  if (hub === undefined) hubs.set(store, (hub = new Hub()));
  return hub;
}

function nameOf(topic: Topic): string {
  return topic.of === "queue" ? `queue ${topic.queue}` : `${topic.of} ${topic.runId}`;
}
