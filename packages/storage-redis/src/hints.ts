import type { Subscription, Topic } from "@perdure/core/storage";
import type { Redis } from "ioredis";
import type { Connection } from "./connection.ts";
import { Listeners } from "./listeners.ts";

/** How long after a lost connection the next one is tried. */
const RETRY_MS = { first: 50, most: 2_000 } as const;

/** How often the connection is asked whether it lives: a network that is dead says nothing, and neither does a channel without hints. */
const LOOK_MS = 10_000;

/**
 * Hints of all processes: on one channel, over one connection more, which is opened when somebody first subscribes. Hints that were
 * published while it was broken are lost, so afterwards everybody looks.
 */
export class Hints {
  readonly #connection: Connection;
  readonly #channel: string;
  readonly #lookMs: number;
  readonly #listeners = new Listeners();
  #subscriber: Redis | undefined;
  #opening: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(connection: Connection, channel: string, lookMs: number = LOOK_MS) {
    this.#connection = connection;
    this.#channel = channel;
    this.#lookMs = lookMs;
  }

  /** @throws StorageError `unavailable` if the first connection cannot be made */
  async subscribe(onWake: (topic: Topic) => void): Promise<Subscription> {
    this.#opening ??= this.#open();
    try {
      await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
    return this.#listeners.add(onWake);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#listeners.clear();
    await this.#opening?.catch(ignore);
    this.#subscriber?.disconnect();
  }

  async #open(): Promise<void> {
    const subscriber = this.#connection.anyNode().duplicate({
      lazyConnect: true,
      // A client of the caller's may have none: what it subscribes to waits for the connection.
      enableOfflineQueue: true,
      autoResubscribe: false,
      // Another node is taken then, where there are several.
      retryStrategy: null,
    });
    subscriber.on("error", ignore);
    subscriber.on("message", (_channel, message: string) => this.#listeners.hear(JSON.parse(message) as string[]));
    try {
      await this.#connection.send(() => subscriber.subscribe(this.#channel));
    } catch (error) {
      subscriber.disconnect();
      throw error;
    }
    this.#subscriber = subscriber;
    if (this.#isClosed) subscriber.disconnect();
    else {
      const looking = setInterval(() => void this.#look(subscriber), this.#lookMs).unref();
      subscriber.once("end", () => {
        clearInterval(looking);
        this.#openAgain(RETRY_MS.first);
      });
    }
  }

  async #look(subscriber: Redis): Promise<void> {
    try {
      await this.#connection.send(() => subscriber.ping());
    } catch {
      subscriber.disconnect();
    }
  }

  #openAgain(delayMs: number): void {
    if (this.#isClosed) return;
    this.#retry = setTimeout(() => {
      this.#opening = this.#open();
      this.#opening.then(
        () => this.#listeners.hear(undefined),
        () => this.#openAgain(Math.min(2 * delayMs, RETRY_MS.most)),
      );
    }, delayMs);
  }
}

function ignore(): void {}
