import type { CosmosClient, CosmosClientOptions } from "@azure/cosmos";
import { checkNamespace, UsageError } from "@perdure/core/storage";

/** What tells Azure who this is: of `@azure/identity`, for example. */
export type TokenCredential = NonNullable<CosmosClientOptions["aadCredentials"]>;

/** What a store in Azure Cosmos DB can be told. */
export interface CosmosOptions {
  /** `AccountEndpoint=https://….documents.azure.com:443/;AccountKey=…;` */
  readonly connectionString?: string;
  /** In place of a connection string, with `key` or `credential`: `https://….documents.azure.com:443/`. */
  readonly endpoint?: string;
  /** The account's key. */
  readonly key?: string;
  /** An identity of Entra ID. It may not create databases and containers by default: see `migrate`. */
  readonly credential?: TokenCredential;
  /** A client of the caller's, who disposes of it, in place of all of the above. */
  readonly client?: CosmosClient;
  /** Default `perdure`. */
  readonly databaseId?: string;
  /** The container of runs. Default `runs`. */
  readonly containerId?: string;
  /** The container of cached outcomes. Default `cache`. */
  readonly cacheContainerId?: string;
  /** Runs of one namespace know nothing of another's in the same container. Default `default`. */
  readonly namespace?: string;
  /**
   * Request units per second of a database that is created, shared by its containers; `autoscale`: the most of them. Neither: none is asked for, as a
   * serverless account demands it.
   */
  readonly throughput?: number;
  readonly autoscale?: number;
  /** `auto` creates what is missing. `check` only looks. Default `auto`. */
  readonly migrate?: "auto" | "check";
  /** How long a request may take, in milliseconds, before it is given up. Default 10000. */
  readonly requestTimeout?: number;
  /** How far ahead of the service's clock the store's is, in milliseconds. For tests. */
  readonly clock?: () => number;
}

/** Options with their defaults. */
export interface Settings extends Required<
  Pick<
    CosmosOptions,
    "databaseId" | "containerId" | "cacheContainerId" | "namespace" | "migrate" | "requestTimeout" | "clock"
  >
> {
  /** The caller's client, or how to reach the account. */
  readonly account:
    | { readonly client: CosmosClient }
    | Pick<CosmosClientOptions, "endpoint" | "key" | "aadCredentials">;
  readonly throughput: { readonly throughput?: number; readonly maxThroughput?: number };
}

const OPTIONS: ReadonlySet<string> = new Set([
  "connectionString",
  "endpoint",
  "key",
  "credential",
  "client",
  "databaseId",
  "containerId",
  "cacheContainerId",
  "namespace",
  "throughput",
  "autoscale",
  "migrate",
  "requestTimeout",
  "clock",
] satisfies (keyof CosmosOptions)[]);

/** @throws UsageError `invalid-argument` */
export function settingsOf(given: string | CosmosOptions): Settings {
  const options: CosmosOptions = typeof given === "string" ? { connectionString: given } : given;
  requireThat(typeof options === "object" && options !== null, "options", "a connection string or an object");
  for (const name of Object.keys(options)) requireKnown(name);
  const { databaseId = "perdure", containerId = "runs", cacheContainerId = "cache", namespace = "default" } = options;
  const { migrate = "auto", requestTimeout = 10_000, clock = noOffset, throughput, autoscale } = options;
  for (const [name, id] of Object.entries({ databaseId, containerId, cacheContainerId }))
    requireThat(
      typeof id === "string" && /^[^/\\?#]{1,255}$/u.test(id),
      name,
      "a text of 1 … 255 characters without / \\ ? and #",
    );
  requireThat(containerId !== cacheContainerId, "cacheContainerId", "another container than containerId");
  checkNamespace(namespace);
  requireThat(migrate === "auto" || migrate === "check", "migrate", "auto or check");
  requireThat(requestTimeout > 0 && requestTimeout < 2 ** 31, "requestTimeout", "a number of milliseconds above zero");
  requireThat(typeof clock === "function", "clock", "a function");
  requireThat(throughput === undefined || autoscale === undefined, "autoscale", "absent when there is throughput");
  requireThat(
    throughput === undefined || (Number.isSafeInteger(throughput) && throughput >= 400),
    "throughput",
    "a whole number from 400",
  );
  requireThat(
    autoscale === undefined || (Number.isSafeInteger(autoscale) && autoscale >= 1_000),
    "autoscale",
    "a whole number from 1000",
  );
  return {
    databaseId,
    containerId,
    cacheContainerId,
    namespace,
    migrate,
    requestTimeout,
    clock,
    account: accountOf(options),
    throughput: {
      ...(throughput !== undefined && { throughput }),
      ...(autoscale !== undefined && { maxThroughput: autoscale }),
    },
  };
}

function noOffset(): number {
  return 0;
}

function accountOf({ connectionString, endpoint, key, credential, client }: CosmosOptions): Settings["account"] {
  const ways = [connectionString, endpoint, client].filter((way) => way !== undefined);
  if (ways.length !== 1)
    refuse("Provide either connectionString, or endpoint with key or credential, or client", "connectionString");
  if (endpoint === undefined)
    requireThat(key === undefined && credential === undefined, "key", "given with an endpoint only");
  if (client !== undefined) {
    requireThat(
      typeof (client as Partial<CosmosClient>).database === "function",
      "client",
      "a CosmosClient of @azure/cosmos",
    );
    return { client };
  }
  if (connectionString !== undefined) return parsed(connectionString);
  requireThat(
    typeof endpoint === "string" && URL.canParse(endpoint),
    "endpoint",
    "an URL such as https://….documents.azure.com:443/",
  );
  if (key === undefined && credential === undefined)
    refuse("credential is required when using endpoint authentication", "credential");
  requireThat(key === undefined || credential === undefined, "credential", "absent when there is a key");
  if (key !== undefined) return { endpoint: endpoint!, key: checkedKey(key, "key") };
  requireThat(
    typeof (credential as Partial<TokenCredential>).getToken === "function",
    "credential",
    "a TokenCredential, with getToken",
  );
  return { endpoint: endpoint!, aadCredentials: credential! };
}

/** A connection string has a key in it: it is not repeated. */
function parsed(connectionString: string): Settings["account"] {
  const isText = typeof connectionString === "string";
  const parts = new Map(isText ? connectionString.split(";").map((part) => split(part)) : []);
  const [endpoint, key] = [parts.get("accountendpoint"), parts.get("accountkey")];
  if (endpoint === undefined || key === undefined || !URL.canParse(endpoint))
    return refuse(
      'connectionString must be like "AccountEndpoint=https://….documents.azure.com:443/;AccountKey=…;"',
      "connectionString",
    );
  return { endpoint, key: checkedKey(key, "connectionString") };
}

function split(part: string): [string, string] {
  const at = part.indexOf("=");
  return [part.slice(0, Math.max(at, 0)).trim().toLowerCase(), part.slice(at + 1).trim()];
}

function checkedKey(key: string, option: string): string {
  requireThat(
    typeof key === "string" && /^[A-Za-z0-9+/]+=*$/u.test(key),
    option,
    "with a key in base64, as Azure shows it",
  );
  return key;
}

function requireThat(condition: boolean, option: string, rule: string): void {
  if (!condition) refuse(`${option} must be ${rule}`, option);
}

function refuse(says: string, option: string): never {
  throw new UsageError("invalid-argument", `cosmos: ${says}. Correct the option.`, { details: { field: option } });
}

function requireKnown(name: string): void {
  if (OPTIONS.has(name)) return;
  throw new UsageError(
    "invalid-argument",
    `cosmos has no option "${name}". Its options are ${[...OPTIONS].join(", ")}.`,
    {
      details: { field: name },
    },
  );
}
