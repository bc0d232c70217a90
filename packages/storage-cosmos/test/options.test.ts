import { expect, describe, test } from "vitest";
import { cosmos, type CosmosOptions } from "@perdure/storage-cosmos";

const endpoint = "https://shop.documents.azure.com:443/";
const key = Buffer.from("a key").toString("base64");
const credential = { getToken: async () => null };

describe("options that cannot be are refused at once (I29)", () => {
  test.each([
    [{}, "Provide either connectionString, or endpoint"],
    [{ endpoint }, "credential is required when using endpoint authentication"],
    [{ endpoint, key, credential }, "credential must be absent"],
    [{ endpoint, key: "not base64!" }, "key must be with a key in base64"],
    [{ endpoint, credential: {} }, "credential must be a TokenCredential"],
    [{ endpoint: "shop", key }, "endpoint must be an URL"],
    [{ connectionString: "shop" }, "connectionString must be like"],
    [{ connectionString: `AccountEndpoint=${endpoint}` }, "connectionString must be like"],
    [{ connectionString: `AccountEndpoint=${endpoint};AccountKey=${key}`, endpoint, key }, "Provide either"],
    [{ connectionString: `AccountEndpoint=${endpoint};AccountKey=${key}`, key }, "key must be given with an endpoint"],
    [{ client: {} }, "client must be a CosmosClient"],
    [{ endpoint, key, databaseId: "a/b" }, "databaseId must be"],
    [{ endpoint, key, containerId: "" }, "containerId must be"],
    [{ endpoint, key, containerId: "a", cacheContainerId: "a" }, "cacheContainerId must be another"],
    [{ endpoint, key, namespace: "" }, "namespace"],
    [{ endpoint, key, throughput: 100 }, "throughput must be"],
    [{ endpoint, key, autoscale: 400 }, "autoscale must be"],
    [{ endpoint, key, throughput: 400, autoscale: 1_000 }, "autoscale must be absent"],
    [{ endpoint, key, migrate: "never" }, "migrate must be"],
    [{ endpoint, key, requestTimeout: 0 }, "requestTimeout must be"],
    [{ endpoint, key, clock: 5 }, "clock must be"],
    [{ endpoint, key, database: "a" }, 'no option "database"'],
  ] as const)("%o", (options, says) => {
    const refusal = expect.objectContaining({ code: "invalid-argument", message: expect.stringContaining(says) });
    expect(() => cosmos(options as unknown as CosmosOptions)).toThrow(refusal);
  });

  test("a key is not repeated", () => {
    expect(() => cosmos(`AccountKey=${key}`)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(key) }),
    );
  });

  test("what can be is taken", () => {
    for (const options of [
      `AccountEndpoint=${endpoint};AccountKey=${key};`,
      { endpoint, key },
      { endpoint, credential, autoscale: 4_000 },
    ])
      expect(cosmos(options).info.name).toBe("cosmos");
  });
});
