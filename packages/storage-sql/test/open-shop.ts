import { type Client, createClient, createWorker, type Logger } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { onTestFinished } from "vitest";
import type { UsersPlace, UsersPlaces } from "./users-place.ts";
import type { Selling } from "./users-shop.ts";

/** A place, and a store in it, for one test. */
export interface OpenShop extends UsersPlace {
  readonly name: string;
  readonly storage: StorageBackend;
  readonly client: Client;
  /** Runs the order of `selling` here. `failed` gathers what a worker says of attempts that failed. */
  work(selling: Selling, failed?: string[]): void;
}

/** Makes a place for one test. Each item is there ten times. */
export async function openShop(places: UsersPlaces, items: readonly string[] = ["pen", "ink"]): Promise<OpenShop> {
  const name = await places.make();
  const place = places.at(name);
  const storage = place.open();
  const client = createClient({ storage });
  const closing: (() => Promise<unknown>)[] = [];
  onTestFinished(async () => {
    await Promise.all(closing.map((close) => close()));
    await client.close();
    await storage.close();
    await place.close();
    await places.drop(name);
  });
  await storage.setup();
  await place.db
    .insertInto("stock")
    .values(items.map((item) => ({ item, in_stock: 10 })))
    .execute();
  return {
    ...place,
    name,
    storage,
    client,
    work({ order, reserve }, failed = []) {
      const quiet = { debug() {}, info() {}, warn() {}, error() {} };
      const logger: Logger = { ...quiet, warn: (message) => void failed.push(message) };
      const worker = createWorker({ storage, workflows: [order], activities: [reserve], lease: "5s", logger });
      closing.push(() => worker.stop());
      void worker.run();
    },
  };
}
