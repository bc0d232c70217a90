import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { redis } from "@perdure/storage-redis";
import { startRedis, type TestServer } from "perdure-servers";
import type { BackendUnderTest, OwnServer } from "../src/subject.ts";
import { addressOf, noteOwnServer, ownUrl, urlAt } from "./process-store.ts";
import { redisOptions, redisStore } from "./redis-subject.ts";

const VARIABLE = "PERDURE_CONFORMANCE_REDIS_EVERYSEC";
/** Redis syncs each second what was written until then. */
const LOSS_MS = 1_000;
const SAMPLE_MS = 20;

/** One that syncs every second, and rewrites its log when it is told to. */
function start(): Promise<TestServer> {
  return startRedis({ settings: { appendfsync: "everysec", "auto-aof-rewrite-percentage": 0 } });
}

/** Whose machine loses its power when it is killed: of what it logged since {@link LOSS_MS} before, some is on the disk, down to half a record. */
class Powerless implements OwnServer {
  readonly #server: TestServer;
  readonly #logs: string;
  #sizes: { readonly at: number; readonly log: string; readonly bytes: number }[] = [];
  #watch: NodeJS.Timeout | undefined;

  constructor(server: TestServer) {
    this.#server = server;
    this.#logs = join(server.folder, "appendonlydir");
    this.#begin();
  }

  get host(): string {
    return this.#server.host;
  }

  get port(): number {
    return this.#server.port;
  }

  get url(): string {
    return this.#server.url;
  }

  async kill(): Promise<void> {
    clearInterval(this.#watch);
    await this.#server.kill();
    const synced = performance.now() - LOSS_MS;
    const log = this.#newest();
    const least = this.#sizes.find((size) => size.at >= synced && size.log === log)?.bytes ?? 0;
    truncateSync(log, least + Math.floor(Math.random() * (statSync(log).size - least)));
  }

  async restart(): Promise<void> {
    await this.#server.restart();
    this.#begin();
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch);
    await this.#server.stop();
  }

  /** The log that is written to: its number grows when it is written anew. */
  #newest(): string {
    const logs = readdirSync(this.#logs).filter((name) => name.endsWith(".incr.aof"));
    const numberOf = (name: string): number => Number(name.split(".").at(-3));
    return join(this.#logs, logs.toSorted((a, b) => numberOf(a) - numberOf(b)).at(-1)!);
  }

  #begin(): void {
    this.#sizes = [];
    const sample = (): void => {
      const log = this.#newest();
      this.#sizes.push({ at: performance.now(), log, bytes: statSync(log).size });
      // Of what is older nothing is lost.
      this.#sizes = this.#sizes.slice(-(2 * LOSS_MS) / SAMPLE_MS);
    };
    sample();
    this.#watch = setInterval(sample, SAMPLE_MS).unref();
  }
}

process.env[VARIABLE] ??= (await start()).url;
const url = process.env[VARIABLE];

/** A Redis that syncs every second, whose machine loses its power. */
const subject: BackendUnderTest = {
  ...redisStore({ url }),
  name: "redis-everysec",
  module: new URL(import.meta.url),
  server: addressOf(url),
  lossMs: LOSS_MS,
  open: ({ namespace, server }) =>
    redis({
      url: ownUrl(server) ?? (server === undefined ? url : urlAt(url, server)),
      ...redisOptions(namespace),
    }),
  async startServer() {
    const server = new Powerless(await start());
    noteOwnServer(server);
    return server;
  },
};

export default subject;
