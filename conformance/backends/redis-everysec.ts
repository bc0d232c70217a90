import { statSync, truncateSync } from "node:fs";
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

/** One that syncs every second, and never rewrites its log. */
function start(): Promise<TestServer> {
  return startRedis({ settings: { appendfsync: "everysec", "auto-aof-rewrite-percentage": 0 } });
}

/** Whose machine loses its power when it is killed: its log is as long as it was most of {@link LOSS_MS} before. */
class Powerless implements OwnServer {
  readonly #server: TestServer;
  readonly #log: string;
  #sizes: { readonly at: number; readonly bytes: number }[] = [];
  #watch: NodeJS.Timeout | undefined;

  constructor(server: TestServer) {
    this.#server = server;
    this.#log = join(server.folder, "appendonlydir", "appendonly.aof.1.incr.aof");
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
    truncateSync(this.#log, this.#sizes.find(({ at }) => at >= synced)!.bytes);
  }

  async restart(): Promise<void> {
    await this.#server.restart();
    this.#begin();
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch);
    await this.#server.stop();
  }

  #begin(): void {
    this.#sizes = [];
    const sample = (): void => {
      this.#sizes.push({ at: performance.now(), bytes: statSync(this.#log).size });
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
