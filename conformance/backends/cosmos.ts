import { type Container, CosmosClient } from "@azure/cosmos";
import { cosmos } from "@perdure/storage-cosmos";
import { COSMOS_KEY, findCosmos, startCosmos } from "perdure-servers";
import type { BackendUnderTest, ClientClock } from "../src/subject.ts";
import { caseOf } from "./case-of.ts";
import { addressOf, noteOwnServer, ownUrl, storeName, urlAt } from "./process-store.ts";

/** A real account of the one who runs the suite, or the local stand-in. */
const { COSMOS_ENDPOINT: account, COSMOS_KEY: accountKey } = process.env;
const url = account ?? (await findCosmos()).url;
const key = accountKey ?? COSMOS_KEY;
const databaseId = storeName();

/** How far the store's clock is ahead, by case. */
const offsets = new Map<string, number>();

let own: CosmosClient | undefined;

/** For what is done underneath the adapter. */
function client(): CosmosClient {
  own ??= new CosmosClient({
    endpoint: url,
    key,
    connectionPolicy: { enableEndpointDiscovery: account !== undefined },
  });
  return own;
}

/** In a real account containers are dear: all cases share two. */
function containersOf(namespace: string): { readonly containerId: string; readonly cacheContainerId: string } {
  const name = account === undefined ? caseOf(namespace) : "all";
  return { containerId: `runs-${name}`, cacheContainerId: `cache-${name}` };
}

/** Clocks of machines are never read; one that is off by less than is declared stands for what remains of error in the service's time. */
function remainder(clock: ClientClock): number {
  const offMs = clock.now() - Date.now();
  return Math.abs(offMs) <= 260 ? offMs : 0;
}

/** Documents of a namespace that say something about a run. */
async function mentions(container: Container, namespace: string, runId: string): Promise<number> {
  const query = {
    query: "SELECT * FROM c WHERE STARTSWITH(c.pk, @prefix)",
    parameters: [{ name: "@prefix", value: `${encodeURIComponent(namespace)}:` }],
  };
  const { resources } = await container.items.query<object>(query).fetchAll();
  return resources.filter((document) => JSON.stringify(document).includes(JSON.stringify(runId).slice(1, -1))).length;
}

/** Containers for each case, in the Cosmos DB that tests use. */
const subject: BackendUnderTest = {
  name: "cosmos",
  module: new URL(import.meta.url),
  ...(account === undefined && { server: addressOf(url) }),
  version: () => (account === undefined ? "local stand-in for Azure Cosmos DB" : "Azure Cosmos DB"),
  open({ namespace, clock, server }) {
    const offMs = remainder(clock);
    return cosmos({
      endpoint: ownUrl(server) ?? (server === undefined ? url : urlAt(url, server)),
      key,
      databaseId,
      ...containersOf(namespace),
      namespace,
      clock: () => offMs + (offsets.get(caseOf(namespace)) ?? 0),
    });
  },
  async startServer() {
    const server = await startCosmos();
    noteOwnServer(server);
    return server;
  },
  advance(namespace, ms) {
    offsets.set(caseOf(namespace), (offsets.get(caseOf(namespace)) ?? 0) + ms);
  },
  async residue(namespace, runId) {
    const database = client().database(databaseId);
    const { containerId, cacheContainerId } = containersOf(namespace);
    const counts = [containerId, cacheContainerId].map((id) => mentions(database.container(id), namespace, runId));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  },
  async destroy(namespace) {
    offsets.delete(caseOf(namespace));
    if (account !== undefined) return;
    for (const id of Object.values(containersOf(namespace)))
      await client().database(databaseId).container(id).delete().catch(ignoreMissing);
  },
  async end() {
    await client().database(databaseId).delete().catch(ignoreMissing);
    own?.dispose();
    own = undefined;
  },
};

function ignoreMissing(error: unknown): void {
  if ((error as { readonly code?: unknown }).code !== 404) throw error;
}

export default subject;
