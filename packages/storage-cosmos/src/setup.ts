import { performance } from "node:perf_hooks";
import type { ContainerRequest } from "@azure/cosmos";
import { StorageError } from "@perdure/core/storage";
import type { Connection } from "./connection.ts";
import { statusOf } from "./errors.ts";
import type { Settings } from "./options.ts";

const SCHEMA = 1;
const META = "perdure";

/** What queries filter and order by; all else is not indexed, which makes writes cheaper. */
const INDEXED = [
  "ns",
  "t",
  "live",
  "lane",
  "visibleAt",
  "rank",
  "overdueAt",
  "dueAt",
  "holder",
  "listKey",
  "closedAt",
  "status",
  "workflow",
];
const ALSO = ["queue", "isBlocked", "parentRunId", "first", "last", "discarded"];
const COMPOSITE = [
  ["live", "visibleAt"],
  ["live", "rank"],
  ["live", "overdueAt"],
  ["ns", "listKey"],
  ["ns", "closedAt"],
];

/** Creates or checks database and containers, and learns the time. Safe when many do it at once. @throws StorageError */
export async function setUp(connection: Connection, settings: Settings): Promise<void> {
  const { client, clock } = connection;
  const { databaseId, containerId, cacheContainerId, migrate, throughput } = settings;
  const account = await connection.send(() => client.getDatabaseAccount());
  if (account.resource?.enableMultipleWritableLocations === true) {
    throw new StorageError(
      "misconfigured",
      "This Cosmos DB account takes writes in several regions, where nobody can tell which write was first. Use an account with one region for writes.",
    );
  }
  if (migrate === "auto") {
    const { containers } = client.database(databaseId);
    await create(connection, () => client.databases.createIfNotExists({ id: databaseId, ...throughput }));
    await create(connection, () => containers.createIfNotExists(runsContainer(containerId)));
    await create(connection, () => containers.createIfNotExists(cacheContainer(cacheContainerId)));
  }
  await Promise.all([containerId, cacheContainerId].map((id) => checkContainer(connection, databaseId, id)));
  await checkSchema(connection, settings);
  await clock.learn(async () => {
    const sentAt = performance.now();
    const { headers } = await connection.send(() => client.getDatabaseAccount());
    const date = Date.parse(String((headers as Record<string, unknown>)["date"]));
    if (!Number.isNaN(date)) clock.observe(sentAt, performance.now(), date);
  });
}

/** Somebody else may create the same at the same time. */
async function create(connection: Connection, work: () => Promise<unknown>): Promise<void> {
  await connection.send(async () => {
    try {
      await work();
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
    }
  });
}

function runsContainer(id: string): ContainerRequest {
  return {
    id,
    partitionKey: { paths: ["/pk"] },
    // On, and nothing expires that does not say so.
    defaultTtl: -1,
    indexingPolicy: {
      indexingMode: "consistent",
      automatic: true,
      includedPaths: [...[...INDEXED, ...ALSO].map((name) => ({ path: `/${name}/?` })), { path: "/attrs/[]/?" }],
      excludedPaths: [{ path: "/*" }],
      compositeIndexes: COMPOSITE.map((names) =>
        names.map((name) => ({ path: `/${name}`, order: "ascending" as const })),
      ),
    },
  };
}

function cacheContainer(id: string): ContainerRequest {
  return {
    id,
    partitionKey: { paths: ["/pk"] },
    defaultTtl: -1,
    // Entries are read by their key alone.
    indexingPolicy: { indexingMode: "consistent", automatic: true, includedPaths: [], excludedPaths: [{ path: "/*" }] },
  };
}

async function checkContainer(connection: Connection, databaseId: string, id: string): Promise<void> {
  const { resource } = await connection.send(() => connection.client.database(databaseId).container(id).read());
  if (resource?.partitionKey?.paths.join() === "/pk" && resource.defaultTtl === -1) return;
  throw new StorageError(
    "misconfigured",
    `The container ${id} of ${databaseId} must have the partition key /pk and a default time to live of -1 (on, no default). ` +
      "Name another container, or let Perdure create it.",
  );
}

/** The first one writes which schema it is; afterwards it must be one that this code knows. */
async function checkSchema(connection: Connection, { databaseId, containerId }: Settings): Promise<void> {
  const container = connection.client.database(databaseId).container(containerId);
  const item = container.item(META, META);
  let { resource } = await connection.send(() => item.read<{ readonly schema: number }>());
  if (resource === undefined) {
    const made = { id: META, pk: META, t: "meta", schema: SCHEMA };
    await create(connection, () => container.items.create(made));
    ({ resource } = await connection.send(() => item.read<{ readonly schema: number }>()));
  }
  const schema = resource?.schema ?? SCHEMA;
  if (schema === SCHEMA) return;
  throw new StorageError(
    "schema-version",
    `The container ${containerId} has schema ${schema}, and this version of @perdure/storage-cosmos knows ${SCHEMA}. Update the package.`,
    { details: { schema, known: SCHEMA } },
  );
}
