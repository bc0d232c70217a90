import { isPerdureError, StorageError } from "@perdure/core/storage";
import type { Cluster, Redis } from "ioredis";
import { demoted, storageErrorOf } from "./errors.ts";
import type { Settings } from "./options.ts";
import type { Script } from "./scripts.ts";

export type Client = Redis | Cluster;

/** A client of ours closes a silent connection itself; a call does not end before, so that the next one finds a new connection. */
const CLOSING_MS = 500;

/** One client of a server or Cluster: commands of all verbs go through it, one after the other, without waiting for answers. */
export class Connection {
  readonly client: Client;
  readonly #isOurs: boolean;
  readonly #timeoutMs: number;
  #wasWritable = false;
  #forget: () => void = ignore;

  constructor({ server, requestTimeout }: Settings) {
    this.#isOurs = "connect" in server;
    this.client = "connect" in server ? server.connect() : server.client;
    this.#timeoutMs = requestTimeout;
    this.client.on("error", ignore);
  }

  /** Runs a script. @throws StorageError */
  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const answer = await this.send(async (client) => {
      const all = [keys.length, ...keys, ...args] as const;
      try {
        return await client.evalsha(script.sha, ...(all as [number, ...string[]]));
      } catch (error) {
        // It has not run, as the server does not know it: a new one, or its scripts were flushed.
        if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
        return client.eval(script.text, ...(all as [number, ...string[]]));
      }
    });
    // The first script of all, setup, writes in any case.
    this.#wasWritable = true;
    return answer;
  }

  /** Sends commands, and waits for their answers in time. @throws StorageError */
  async send<T>(command: (client: Client) => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await inTime(this.#sendNow(command), this.#timeoutMs + (this.#isOurs ? CLOSING_MS : 0));
    } catch (error) {
      const meaning = this.#meaningOf(error);
      const isLost = isPerdureError(meaning, "unavailable") && (error as Error).name !== "ReplyError";
      if (isLost && performance.now() - startedAt >= this.#timeoutMs) throw silent(this.#timeoutMs, error);
      throw meaning;
    }
  }

  /** Has somebody told when a server is connected to from now on: again, or for the first time. */
  onConnect(tell: () => void): void {
    const listen: readonly [string, (node: Redis) => void] =
      "nodes" in this.client ? ["+node", (node) => void node.once("ready", tell)] : ["ready", tell];
    this.client.on(...listen);
    this.#forget = () => void this.client.off(...listen);
  }

  /** The servers that take writes. */
  masters(): readonly Redis[] {
    return "nodes" in this.client ? this.client.nodes("master") : [this.client];
  }

  /** Has the servers write their logs anew, in the background. */
  rewriteLogs(): void {
    for (const node of this.masters()) node.bgrewriteaof().catch(ignore);
  }

  /** What a Cluster's client knows of the nodes may be old. */
  lookForMasters(): void {
    if (this.#isOurs && "refreshSlotsCache" in this.client && this.client.status === "ready")
      this.client.refreshSlotsCache();
  }

  /** One of the servers, whichever. */
  anyNode(): Redis {
    if (!("nodes" in this.client)) return this.client;
    const nodes = this.client.nodes("all");
    return nodes[Math.floor(Math.random() * nodes.length)] ?? refuseEmpty();
  }

  async close(): Promise<void> {
    this.client.off("error", ignore);
    this.#forget();
    // The caller's client is the caller's to end.
    if (!this.#isOurs) return;
    this.client.on("error", ignore);
    this.client.disconnect();
  }

  async #sendNow<T>(command: (client: Client) => Promise<T>): Promise<T> {
    if (this.#isOurs && this.client.status !== "ready") await connected(this.client, this.#timeoutMs);
    return command(this.client);
  }

  #meaningOf(error: unknown): Error {
    const meaning = storageErrorOf(error);
    if (!(meaning instanceof StorageError)) return meaning;
    if (meaning.code === "read-only" && this.#wasWritable && this.#isOurs) {
      this.client.disconnect(true);
      return demoted(error as Error);
    }
    if (meaning.code === "unavailable") this.lookForMasters();
    return meaning;
  }
}

function refuseEmpty(): never {
  throw new StorageError("unavailable", "The Redis Cluster has no node that can be reached. Try again.");
}

/** Errors of connections are heard of by those who wait for answers. */
function ignore(): void {}

/** Resolves when the client is ready, rejects when it has failed to become so once. */
async function connected(client: Client, timeoutMs: number): Promise<void> {
  if (client.status === "wait") client.connect().catch(ignore);
  let settle: { readonly ready: () => void; readonly failed: (error?: Error) => void } | undefined;
  const connecting = new Promise<void>((resolve, reject) => {
    settle = { ready: resolve, failed: (error) => reject(error ?? new Error("Connection is closed.")) };
  });
  const { ready, failed } = settle!;
  client.once("ready", ready).once("error", failed).once("end", failed);
  try {
    await inTime(connecting, timeoutMs);
  } finally {
    client.off("ready", ready).off("error", failed).off("end", failed);
  }
}

async function inTime<T>(promise: Promise<T>, patienceMs: number): Promise<T> {
  let patience: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    patience = setTimeout(() => reject(new Error("No answer.")), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(patience);
  }
}

function silent(timeoutMs: number, cause: unknown): StorageError {
  return new StorageError(
    "unavailable",
    `Redis did not answer within the requestTimeout of ${timeoutMs} ms. Try again.`,
    { cause },
  );
}
