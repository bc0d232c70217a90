import type { StorageBackend } from "@perdure/core/storage";
import { redis, type RedisOptions } from "@perdure/storage-redis";
import { Redis } from "ioredis";
import { findRedis } from "perdure-servers";
import { afterAll, onTestFinished } from "vitest";

const { url } = await findRedis();

/** A client of the tests' own of the server that they use. */
export const admin = new Redis(url);
afterAll(() => admin.disconnect());

let count = 0;

/** A prefix that nobody has used; what has it is removed after the test. */
export function newPrefix(): string {
  const prefix = `perdure_test_${process.pid}_${count++}:`;
  onTestFinished(async () => {
    const keys = await keysOf(prefix);
    if (keys.length > 0) await admin.unlink(...keys);
  });
  return prefix;
}

/** A storage in the server that tests use, closed after the test. */
export function open(options: RedisOptions): StorageBackend {
  const place = options.client === undefined && options.nodes === undefined ? { url } : {};
  const storage = redis({ ...place, ...options });
  onTestFinished(() => storage.close());
  return storage;
}

/** All keys with a prefix, in order. */
export async function keysOf(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const some of admin.scanStream({ match: `${prefix}*`, count: 1_000 })) keys.push(...(some as string[]));
  return keys.toSorted();
}
