import { type Container, CosmosClient, type ErrorResponse, type OperationInput } from "@azure/cosmos";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COSMOS_KEY, CosmosService } from "../src/cosmos/service.ts";

// The real client judges the fixture: each test is a rule that the documentation of Azure Cosmos DB states.

let now = Date.UTC(2026, 0, 1);
let service: CosmosService;
let client: CosmosClient;
let container: Container;

beforeEach(async () => {
  service = await CosmosService.start({ clock: () => now });
  client = new CosmosClient({
    endpoint: service.url,
    key: COSMOS_KEY,
    connectionPolicy: { enableEndpointDiscovery: false },
  });
  const { database } = await client.databases.createIfNotExists({ id: "db" });
  const compositeIndexes = [
    [
      { path: "/a", order: "ascending" },
      { path: "/b", order: "descending" },
    ],
  ] as const;
  const definition = {
    id: "items",
    partitionKey: { paths: ["/pk"] },
    defaultTtl: -1,
    indexingPolicy: { compositeIndexes: compositeIndexes.map((index) => [...index]) },
  };
  ({ container } = await database.containers.createIfNotExists(definition as object));
});

afterEach(async () => {
  client.dispose();
  await service.stop();
});

function create(id: string, more: Record<string, unknown> = {}, pk = "p"): Promise<unknown> {
  return container.items.create({ id, pk, ...more });
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure as ErrorResponse,
  );
  return error?.code ?? (error?.cause as ErrorResponse | undefined)?.code;
}

function batch(operations: readonly object[], pk = "p") {
  return container.items.batch([...operations] as OperationInput[], pk);
}

describe("items", () => {
  it("are created once, and read back with an etag", async () => {
    await create("a", { n: 1 });
    expect(await codeOf(create("a"))).toBe(409);
    const { resource, etag } = await container.item("a", "p").read<{ n: number; _etag: string }>();
    expect(resource).toMatchObject({ id: "a", n: 1, _etag: etag });
    expect((await container.item("b", "p").read()).statusCode).toBe(404);
    expect((await container.item("a", "other").read()).statusCode).toBe(404);
  });

  it("are replaced and deleted only under the etag that is given", async () => {
    await create("a");
    const { etag } = await container.item("a", "p").read();
    const old = { accessCondition: { type: "IfMatch", condition: etag } };
    await container.item("a", "p").replace({ id: "a", pk: "p", n: 2 }, old);
    expect(await codeOf(container.item("a", "p").replace({ id: "a", pk: "p", n: 3 }, old))).toBe(412);
    expect(await codeOf(container.item("a", "p").delete(old))).toBe(412);
    await container.item("a", "p").delete();
    expect(await codeOf(container.item("a", "p").delete())).toBe(404);
  });

  it("are patched under a condition", async () => {
    await create("a", { n: 1 });
    const patch = (condition: string) =>
      container.item("a", "p").patch({ operations: [{ op: "set", path: "/n", value: 5 }], condition });
    expect(await codeOf(patch("from c where c.n = 2"))).toBe(412);
    await patch("from c where c.n = 1");
    expect((await container.item("a", "p").read<{ n: number }>()).resource!.n).toBe(5);
  });

  it("have ids without / \\ ? and #, and at most 2 MB", async () => {
    for (const id of ["a/b", "a\\b", "a?b", "a#b"]) {
      const { result } = await batch([{ operationType: "Create", resourceBody: { id, pk: "p" } }]);
      expect(result![0]!.statusCode).toBe(400);
    }
    expect(await codeOf(create("big", { text: "x".repeat(2 * 1024 * 1024) }))).toBe(413);
  });

  it("expire by their own time to live, and not without one", async () => {
    await create("short", { ttl: 10 });
    await create("long");
    now += 9_000;
    expect((await container.item("short", "p").read()).statusCode).toBe(200);
    now += 1_001;
    expect((await container.item("short", "p").read()).statusCode).toBe(404);
    await create("short");
    expect((await container.item("long", "p").read()).statusCode).toBe(200);
  });
});

describe("a batch", () => {
  it("is done as a whole, reads included, and answers for each operation", async () => {
    await create("a", { n: 1 });
    const { code, result } = await batch([
      { operationType: "Create", resourceBody: { id: "b", pk: "p" } },
      { operationType: "Replace", id: "a", resourceBody: { id: "a", pk: "p", n: 2 } },
      { operationType: "Read", id: "a" },
      { operationType: "Delete", id: "b" },
    ]);
    expect(code).toBe(200);
    expect(result!.map(({ statusCode }) => statusCode)).toEqual([201, 200, 200, 204]);
    expect(result![2]!.resourceBody).toMatchObject({ n: 2 });
    expect(result![2]!.eTag).toBe(result![1]!.eTag);
  });

  it("changes nothing when one operation fails: 424 for the others", async () => {
    await create("a");
    const { code, result } = await batch([
      { operationType: "Create", resourceBody: { id: "b", pk: "p" } },
      { operationType: "Create", resourceBody: { id: "a", pk: "p" } },
      { operationType: "Read", id: "a" },
    ]);
    expect(code).toBe(207);
    expect(result!.map(({ statusCode }) => statusCode)).toEqual([424, 409, 424]);
    expect((await container.item("b", "p").read()).statusCode).toBe(404);
  });

  it("is gated by an etag", async () => {
    await create("a");
    const { result } = await batch([
      { operationType: "Replace", id: "a", resourceBody: { id: "a", pk: "p" }, ifMatch: '"other"' },
      { operationType: "Create", resourceBody: { id: "b", pk: "p" } },
    ]);
    expect(result!.map(({ statusCode }) => statusCode)).toEqual([412, 424]);
  });

  it("has at most 100 operations and 2 MB", async () => {
    const many = Array.from({ length: 101 }, (_, n) => ({
      operationType: "Create",
      resourceBody: { id: `${n}`, pk: "p" },
    }));
    await expect(batch(many)).rejects.toThrow("100 operations");
    const text = "x".repeat(1_100_000);
    const large = ["a", "b"].map((id) => ({ operationType: "Create", resourceBody: { id, pk: "p", text } }));
    expect(await codeOf(batch(large))).toBe(413);
    expect((await container.item("a", "p").read()).statusCode).toBe(404);
  });
});

describe("a query", () => {
  const fetchAll = async (query: string, parameters: Record<string, unknown> = {}, options: object = {}) => {
    const named = Object.entries(parameters).map(([name, value]) => ({ name: `@${name}`, value: value as string }));
    return (await container.items.query<unknown>({ query, parameters: named }, options).fetchAll()).resources;
  };
  beforeEach(async () => {
    for (let n = 0; n < 25; n++) await create(`i${n}`, { n, a: n % 5, b: `x${n}`, tags: [`t${n % 2}`] }, `p${n % 10}`);
  });

  it("sees one partition, or all of them", async () => {
    expect(await fetchAll("SELECT VALUE c.n FROM c WHERE c.n < 15", {}, { partitionKey: "p3" })).toEqual([3, 13]);
    expect((await fetchAll("SELECT c.n FROM c WHERE c.n < @most", { most: 15 })).length).toBe(15);
  });

  it("orders over physical partitions, and takes the first", async () => {
    expect(await fetchAll("SELECT TOP 4 VALUE c.n FROM c WHERE c.n > 3 ORDER BY c.n DESC")).toEqual([24, 23, 22, 21]);
    expect(await fetchAll("SELECT TOP @n c.n, c.b AS name FROM c ORDER BY c.n", { n: 2 })).toEqual([
      { n: 0, name: "x0" },
      { n: 1, name: "x1" },
    ]);
  });

  it("comes in pages, which neither repeat nor miss", async () => {
    const pages = container.items.query<number>("SELECT VALUE c.n FROM c ORDER BY c.n", { maxItemCount: 7 });
    const seen: number[] = [];
    while (pages.hasMoreResults()) seen.push(...((await pages.fetchNext()).resources ?? []));
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => n));
  });

  it("orders by several properties only with an index for them", async () => {
    const sorted = await fetchAll("SELECT TOP 2 VALUE c.b FROM c WHERE c.a = 1 ORDER BY c.a ASC, c.b DESC");
    expect(sorted).toEqual(["x6", "x21"]);
    expect(await codeOf(fetchAll("SELECT * FROM c ORDER BY c.a ASC, c.b ASC"))).toBe(400);
  });

  it("counts and sums", async () => {
    expect(await fetchAll("SELECT VALUE COUNT(1) FROM c WHERE c.a = 1")).toEqual([5]);
    expect(await fetchAll("SELECT VALUE SUM(c.n) FROM c")).toEqual([300]);
  });

  it("does not take what is undefined for true", async () => {
    expect(await fetchAll("SELECT * FROM c WHERE c.missing < 3 OR NOT c.missing = 1")).toEqual([]);
    expect((await fetchAll('SELECT * FROM c WHERE NOT IS_DEFINED(c.missing) AND c["a"] IN (1, 2)')).length).toBe(10);
    expect((await fetchAll("SELECT * FROM c WHERE ARRAY_CONTAINS(c.tags, 't1')")).length).toBe(12);
  });
});

describe("faults", () => {
  it("are answers of the service, with the time to wait", async () => {
    service.faults.plan({ on: "point", status: 429, retryAfterMs: 5, times: 2 });
    await create("a");
    service.faults.plan({ on: "batch", status: 449, retryAfterMs: 5 });
    expect(await codeOf(batch([{ operationType: "Read", id: "a" }]))).toBe(449);
    service.faults.plan({ on: "batch", status: 503, times: 9 });
    expect(await codeOf(batch([{ operationType: "Read", id: "a" }]))).toBe(503);
    service.faults.clear();
  });

  it("are answers that are lost, though it was done", async () => {
    service.faults.plan({ on: "batch", isLost: true });
    await expect(batch([{ operationType: "Create", resourceBody: { id: "a", pk: "p" } }])).rejects.toThrow(
      "Batch request error",
    );
    expect((await container.item("a", "p").read()).statusCode).toBe(200);
  });
});

it("refuses a wrong key", async () => {
  const stranger = new CosmosClient({ endpoint: service.url, key: Buffer.from("wrong").toString("base64") });
  expect(await codeOf(stranger.database("db").read())).toBe(401);
  stranger.dispose();
});

it("tells its own time", async () => {
  now = Date.UTC(2026, 5, 5, 5, 5, 5, 999);
  const { headers } = await client.getDatabaseAccount();
  expect((headers as Record<string, unknown>)["date"]).toBe("Fri, 05 Jun 2026 05:05:05 GMT");
});
