import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig, type QueryConfig } from "pg";

const RETRY_MS = [100, 200, 500, 1_000, 2_000, 5_000] as const;

const GOODBYE_MS = 1_000;

/** A connection that went dead without a word is noticed by looking, and given up after that time without an answer. */
export interface Watch {
  readonly everyMs: number;
  readonly patienceMs: number;
}

const WATCH: Watch = { everyMs: 30_000, patienceMs: 5_000 };

export interface Ears {
  /** A notification. */
  readonly hear: (payload: string) => void;
  /** Listens again after a time without a connection: what was said meanwhile was missed. */
  readonly missed: () => void;
}

/** Listens to a channel on a connection of its own, which is made again when it is lost, and never keeps the process alive. */
export class Listener {
  readonly #config: ClientConfig;
  readonly #channel: string;
  readonly #ears: Ears;
  readonly #watch: Watch;
  readonly #stopped = new AbortController();
  #client: Client | undefined;
  #isLooking = false;
  #isOver: Promise<void> = Promise.resolve();

  constructor(config: ClientConfig, channel: string, ears: Ears, watch: Watch = WATCH) {
    this.#config = config;
    this.#channel = channel;
    this.#ears = ears;
    this.#watch = watch;
  }

  get isConnected(): boolean {
    return this.#client !== undefined;
  }

  /** Called once. Resolves when it listens, or could not connect and goes on trying. */
  start(): Promise<void> {
    return new Promise((tried) => {
      this.#isOver = this.#listen(tried);
    });
  }

  /** Resolves when the connection is gone. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#isOver;
  }

  /** Executes a statement on the connection that listens, prepared under a name. */
  async ask(name: string, text: string, values: unknown[]): Promise<void> {
    const client = this.#client!;
    const socket = socketOf(client);
    // The process does not end in the middle of it.
    socket.ref();
    try {
      await this.#ask(client, { name, text, values });
    } catch (error) {
      cut(client);
      throw error;
    } finally {
      socket.unref();
    }
  }

  async #listen(tried: () => void): Promise<void> {
    const { signal } = this.#stopped;
    let hasMissed = false;
    for (let failures = 0; !signal.aborted; failures++) {
      const client = new Client(this.#config);
      const hasListened = await this.#listenOn(client, () => {
        tried();
        if (hasMissed) this.#ears.missed();
      }).catch(() => false);
      this.#client = undefined;
      hasMissed = true;
      if (hasListened) failures = -1;
      tried();
      const waitMs = RETRY_MS[Math.max(failures, 0)] ?? RETRY_MS.at(-1);
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Resolves with true when the connection is over. */
  async #listenOn(client: Client, listens: () => void): Promise<boolean> {
    const { signal } = this.#stopped;
    const leave = (): void => (this.#client === client ? sayGoodbye(client) : cut(client));
    const ended = new Promise<void>((resolve) => client.on("end", resolve));
    client.on("error", () => {});
    client.on("notification", ({ payload = "" }) => {
      if (!signal.aborted) this.#ears.hear(payload);
    });
    let watch: NodeJS.Timeout | undefined;
    signal.addEventListener("abort", leave);
    try {
      await client.connect();
      // Notifications need not survive a power failure.
      await client.query(`set synchronous_commit = off; listen "${this.#channel}"`);
      socketOf(client).unref();
      this.#client = client;
      listens();
      watch = setInterval(() => void this.#look(client), this.#watch.everyMs).unref();
      await ended;
      return true;
    } finally {
      clearInterval(watch);
      signal.removeEventListener("abort", leave);
      cut(client);
    }
  }

  async #look(client: Client): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#ask(client, { text: "select 1" }).catch(() => cut(client));
    this.#isLooking = false;
  }

  async #ask(client: Client, question: QueryConfig): Promise<void> {
    await client.query({ ...question, query_timeout: this.#watch.patienceMs } as QueryConfig);
  }
}

function sayGoodbye(client: Client): void {
  socketOf(client).ref();
  // The other side's goodbye may never come.
  const patience = setTimeout(cut, GOODBYE_MS, client);
  client.on("end", () => clearTimeout(patience));
  void client.end();
}

function cut(client: Client): void {
  socketOf(client).destroy();
}

function socketOf({ connection }: Client): Socket {
  return connection.stream as Socket;
}
