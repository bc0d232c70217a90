import type { Subscription, Topic } from "../storage/operations.ts";

/** Who waits for what. Hints are told later than the write that gave them, and never fail it. */
export class Hints {
  readonly #waiting: Record<Topic["of"], Map<string, Set<Listener>>> = {
    queue: new Map(),
    inbox: new Map(),
    closed: new Map(),
  };
  /** Hints that were given and not told yet; each listener hears of a topic once. */
  readonly #given: Record<Topic["of"], Set<string>> = { queue: new Set(), inbox: new Set(), closed: new Set() };
  #telling = false;

  give(of: Topic["of"], name: string): void {
    if (!this.#waiting[of].has(name)) return;
    this.#given[of].add(name);
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => this.#tell());
  }

  subscribe(onWake: (topic: Topic) => void): Subscription {
    const listener: Listener = { onWake, topics: new Map(), isClosed: false };
    return {
      add: (topic) => this.#add(listener, topic),
      delete: (topic) => this.#delete(listener, topic),
      close: async () => {
        listener.isClosed = true;
        for (const topic of listener.topics.values()) this.#delete(listener, topic);
      },
    };
  }

  #add(listener: Listener, topic: Topic): void {
    if (listener.isClosed) return;
    const name = nameOf(topic);
    listener.topics.set(`${topic.of} ${name}`, { ...topic });
    const listeners = this.#waiting[topic.of].get(name);
    if (listeners === undefined) this.#waiting[topic.of].set(name, new Set([listener]));
    else listeners.add(listener);
  }

  #delete(listener: Listener, topic: Topic): void {
    const name = nameOf(topic);
    listener.topics.delete(`${topic.of} ${name}`);
    const listeners = this.#waiting[topic.of].get(name);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#waiting[topic.of].delete(name);
  }

  #tell(): void {
    this.#telling = false;
    for (const kind of ["queue", "inbox", "closed"] as const) {
      const names = [...this.#given[kind]];
      this.#given[kind].clear();
      for (const name of names) {
        const listeners = [...(this.#waiting[kind].get(name) ?? [])];
        for (const listener of listeners) tell(listener, kind, name);
      }
    }
  }
}

interface Listener {
  readonly onWake: (topic: Topic) => void;
  /** Those that it waits for: copies, by kind and name. */
  readonly topics: Map<string, Topic>;
  isClosed: boolean;
}

function tell(listener: Listener, of: Topic["of"], name: string): void {
  if (listener.isClosed) return;
  try {
    listener.onWake(of === "queue" ? { of, queue: name } : { of, runId: name });
  } catch {
    // A hint may be lost; whoever waits also looks by time.
  }
}

function nameOf(topic: Topic): string {
  return topic.of === "queue" ? topic.queue : topic.runId;
}
