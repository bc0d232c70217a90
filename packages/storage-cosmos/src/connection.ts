import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type Container, CosmosClient, type JSONValue, type OperationInput } from "@azure/cosmos";
import { clockOf, type ServiceClock } from "./clock.ts";
import type { Document } from "./documents.ts";
import { retryAfter, storageErrorOf } from "./errors.ts";
import type { Settings } from "./options.ts";

/** One operation of a batch. */
export type Operation =
  | { readonly operationType: "Create"; readonly resourceBody: Document }
  | {
      readonly operationType: "Replace";
      readonly id: string;
      readonly resourceBody: Document;
      readonly ifMatch: string;
    }
  | { readonly operationType: "Delete"; readonly id: string; readonly ifMatch?: string }
  | { readonly operationType: "Read"; readonly id: string }
  | {
      readonly operationType: "Patch";
      readonly id: string;
      readonly resourceBody: { readonly operations: readonly object[] };
    };

/** What an operation of a batch that was done answers. */
export interface Done {
  readonly etag: string;
  readonly document: Document;
}

/** `done`: everything. `refused`: nothing, since this operation met another state than it was made for. */
export type BatchResult =
  | { readonly status: "done"; readonly results: readonly Done[] }
  | { readonly status: "refused"; readonly at: number; readonly code: 404 | 409 | 412 };

/** How often something that passes is tried again. */
const TRIES = 8;
const PAUSE_MS = { first: 10, most: 1_000 } as const;

/** One client of an account: each request that it sends tells the time of the service. */
export class Connection {
  readonly client: CosmosClient;
  readonly clock: ServiceClock;
  readonly endpoint: string;
  readonly #isOurs: boolean;

  constructor({ account, requestTimeout }: Settings) {
    this.#isOurs = !("client" in account);
    if ("client" in account) {
      this.client = account.client;
      this.endpoint = "the caller's client";
      this.clock = clockOf(this.endpoint);
      return;
    }
    this.endpoint = String(account.endpoint);
    const clock = clockOf(this.endpoint);
    this.clock = clock;
    const options = {
      ...account,
      connectionPolicy: { requestTimeout, enableEndpointDiscovery: false, enableBackgroundEndpointRefreshing: false },
      userAgentSuffix: "perdure",
      plugins: [
        {
          on: "request",
          async plugin(context: unknown, node: unknown, next: (context: unknown, node: unknown) => Promise<Timed>) {
            const sentAt = performance.now();
            const answer = await next(context, node);
            const date = Date.parse(String(answer.headers?.["date"]));
            if (!Number.isNaN(date)) clock.observe(sentAt, performance.now(), date);
            return answer;
          },
        },
      ],
    };
    this.client = new CosmosClient(options as ConstructorParameters<typeof CosmosClient>[0] & object);
  }

  /**
   * Does something, again if the service says that it failed in passing. An answer that never came is told at once: callers repeat what
   * was unsure.
   * @throws StorageError
   */
  async send<T>(request: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request();
      } catch (error) {
        const pause = retryAfter(error);
        if (pause === undefined || attempt === TRIES) throw storageErrorOf(error);
        const backOff = Math.min(PAUSE_MS.first * 2 ** attempt, PAUSE_MS.most);
        await sleep(Math.max(pause, backOff * (0.5 + Math.random() / 2)));
      }
    }
  }

  /** A transactional batch on one partition. @throws StorageError */
  batch(container: Container, partition: string, operations: readonly Operation[]): Promise<BatchResult> {
    return this.send(async () => {
      const { result } = await container.items.batch(operations as unknown as OperationInput[], partition);
      const results = (result ?? []) as unknown as readonly RawResult[];
      const at = results.findIndex(({ statusCode }) => statusCode >= 300 && statusCode !== 424);
      if (at < 0)
        return {
          status: "done",
          results: results.map(({ eTag, resourceBody }) => ({ etag: eTag!, document: resourceBody! })),
        };
      const code = results[at]!.statusCode;
      if (code === 404 || code === 409 || code === 412) return { status: "refused", at, code };
      throw Object.assign(new Error(`An operation of a batch was answered with ${code}`), { code });
    });
  }

  /** All that a query finds; of one partition, if it is given. @throws StorageError */
  query<T>(
    container: Container,
    query: string,
    values: Readonly<Record<string, unknown>>,
    partition?: string,
  ): Promise<readonly T[]> {
    const parameters = Object.entries(values).map(([name, value]) => ({ name: `@${name}`, value: value as JSONValue }));
    const options = { maxItemCount: 1_000, ...(partition !== undefined && { partitionKey: partition }) };
    return this.send(async () => (await container.items.query<T>({ query, parameters }, options).fetchAll()).resources);
  }

  close(): void {
    if (this.#isOurs) this.client.dispose();
  }
}

interface Timed {
  readonly headers?: Readonly<Record<string, unknown>>;
}

interface RawResult {
  readonly statusCode: number;
  readonly eTag?: string;
  readonly resourceBody?: Document;
}
