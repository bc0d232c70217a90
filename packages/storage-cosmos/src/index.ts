import type { StorageBackend } from "@perdure/core/storage";
import { CosmosBackend } from "./backend.ts";
import { type CosmosOptions, settingsOf } from "./options.ts";

export type { CosmosOptions, TokenCredential } from "./options.ts";

/**
 * A storage in Azure Cosmos DB (API for NoSQL). Nothing is sent before it is first used.
 * @param connectionStringOrOptions a connection string, or everything that can be told
 * @throws UsageError `invalid-argument` for options that do not fit together
 * @example
 * ```ts
 * const storage = cosmos({ endpoint: "https://shop.documents.azure.com:443/", credential: new DefaultAzureCredential() });
 * ```
 */
export function cosmos(connectionStringOrOptions: string | CosmosOptions): StorageBackend {
  return new CosmosBackend(settingsOf(connectionStringOrOptions));
}
