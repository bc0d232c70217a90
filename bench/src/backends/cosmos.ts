import { randomBytes } from "node:crypto";
import { CosmosClient } from "@azure/cosmos";
import { cosmos } from "@perdure/storage-cosmos";
import { COSMOS_KEY } from "perdure-servers/cosmos";
import { cosmosUrl, describeCosmos, useCosmos } from "../server/cosmos.ts";
import type { Backend } from "./backend.ts";
import { countCosmosRequests } from "./cosmos-request-count.ts";

/** A database of its own in a local stand-in, which is named or started. */
export const cosmosBackend: Backend = {
  name: "cosmos",
  processes: "many",
  create: async () => {
    await useCosmos();
    return `perdure_bench_${randomBytes(6).toString("hex")}`;
  },
  open: (databaseId) => cosmos({ endpoint: cosmosUrl(), key: COSMOS_KEY, databaseId }),
  remove: async (databaseId) => {
    const client = new CosmosClient({ endpoint: cosmosUrl(), key: COSMOS_KEY });
    await client.database(databaseId).delete();
    client.dispose();
  },
  countStatements: () => countCosmosRequests(new URL(cosmosUrl()).host),
  // What a batch costs is the service's to say.
  floor: null,
  describeServer: describeCosmos,
  settle: null,
};
