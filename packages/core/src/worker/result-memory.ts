import type { StorageAccess } from "../batch/storage-access.ts";
import { stableHash } from "../codec/stable-hash.ts";
import type { ResultCache } from "../define/activity.ts";
import { UsageError } from "../errors/index.ts";
import type { Payload } from "../model/payload.ts";
import type { ActivityCall } from "./activity-call.ts";

/** The result that calls of one activity with one key share. */
export class ResultMemory {
  readonly #access: StorageAccess;
  readonly #key: string;
  readonly #ttlMs: number | null;

  /** @throws UsageError `invalid-argument` for a key that is no text; what the user's function throws */
  constructor(access: StorageAccess, { name }: ActivityCall, { key, ttlMs }: ResultCache, input: unknown) {
    const chosen: unknown = key(input as never);
    if (typeof chosen !== "string") {
      throw new UsageError(
        "invalid-argument",
        `The cache key of activity "${name}" must be a text, not ${typeof chosen}. Have \`cache.key\` return one.`,
      );
    }
    this.#access = access;
    this.#key = `result:${stableHash(JSON.stringify([name, chosen]))}`;
    this.#ttlMs = ttlMs;
  }

  async recall(): Promise<Payload | undefined> {
    return (await this.#access.readCache(this.#key))?.value;
  }

  /** Offers a result; answers the one that stands: the first writer's. */
  async remember(value: Payload): Promise<Payload> {
    const expiresAt = this.#ttlMs === null ? null : this.#access.clock.latest() + this.#ttlMs;
    const result = await this.#access.writeCache({ key: this.#key, value, expiresAt, mode: "first" });
    return result.status === "lease-lost" ? value : result.entry.value;
  }
}
