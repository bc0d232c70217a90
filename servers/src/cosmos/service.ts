import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Account } from "./account.ts";
import { authorize, targetOf } from "./authorize.ts";
import type { Definition } from "./container.ts";
import { Counter } from "./counts.ts";
import { Failure, notFound } from "./failure.ts";
import { type Fault, Faults, type RequestKind } from "./faults.ts";
import { type Answer, answerItems, kindOf } from "./items.ts";

/** The key of every account here: it opens nothing else. */
export const COSMOS_KEY = Buffer.from("the key of a local Cosmos DB, known to all").toString("base64");

export interface CosmosServiceOptions {
  /** 0: any that is free. */
  readonly port?: number;
  /** Where all changes are written to. None: they end with the process. */
  readonly file?: string;
  /** Physical partitions of each container. Default 2. */
  readonly ranges?: number;
  /** The service's time. Default: the machine's. */
  readonly clock?: () => number;
}

/**
 * A local stand-in for Azure Cosmos DB: the part of its REST protocol, and of its rules, that a client of one account with session
 * consistency and one region for writes comes upon.
 */
export class CosmosService {
  readonly faults: Faults = new Faults();
  readonly #counter = new Counter();
  readonly #account: Account;
  readonly #clock: () => number;
  readonly #server: Server;

  private constructor({ file, ranges = 2, clock = Date.now }: CosmosServiceOptions) {
    this.#account = new Account({ ranges, file });
    this.#clock = clock;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.keepAliveTimeout = 60_000;
  }

  static async start(options: CosmosServiceOptions = {}): Promise<CosmosService> {
    const service = new CosmosService(options);
    service.#server.listen(options.port ?? 0, "127.0.0.1");
    await once(service.#server, "listening");
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString("utf8");
      const path = new URL(request.url ?? "/", "http://local").pathname;
      const segments = path.split("/").filter(Boolean).map(decodeURIComponent);
      const body: unknown = text === "" ? undefined : JSON.parse(text);
      if (segments[0] === "_fixture") return reply(response, this.#control(segments[1], request.method, body));
      await this.#answer(request, response, segments, body);
    } catch (error) {
      if (!(error instanceof Failure)) response.destroy(error as Error);
      else this.#fail(response, error);
    }
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    segments: readonly string[],
    body: unknown,
  ): Promise<void> {
    const header = (name: string): string | undefined => request.headers[name] as string | undefined;
    const { method = "GET" } = request;
    authorize(COSMOS_KEY, method, targetOf(segments), header("authorization"), header("x-ms-date") ?? "");
    const kind = kindOfPath(segments, header);
    const fault = this.faults.next(kind);
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault?.status !== undefined) {
      this.#counter.count(kind, 0);
      throw failureOf(fault);
    }
    const answer = this.#do(method, segments, body, header);
    this.#counter.count(kind, answer.charge ?? 1);
    if (fault?.isLost === true) return void response.destroy();
    reply(response, answer, this.#headers(answer));
  }

  #do(
    method: string,
    segments: readonly string[],
    body: unknown,
    header: (name: string) => string | undefined,
  ): Answer {
    const [, database, , container, feed, id] = segments;
    if (segments.length === 0) return { status: 200, body: this.#accountInfo() };
    if (segments[0] !== "dbs") throw notFound();
    if (database === undefined || segments.length === 2) return this.#doDatabase(method, database, body);
    if (container === undefined || segments.length === 4) return this.#doContainer(method, database, container, body);
    if (feed === "pkranges") return this.#ranges(database, container, header("if-none-match"));
    if (feed !== "docs") throw notFound();
    return answerItems(this.#account, { method, database, container, id, body, header }, this.#clock());
  }

  #doDatabase(method: string, database: string | undefined, body: unknown): Answer {
    if (method === "POST" && database === undefined) {
      const { id } = body as { readonly id: string };
      this.#account.createDatabase(id);
      return { status: 201, body: { id, _rid: id } };
    }
    if (database === undefined) throw notFound();
    if (method === "DELETE") {
      this.#account.deleteDatabase(database);
      return { status: 204 };
    }
    this.#account.database(database);
    return { status: 200, body: { id: database, _rid: database } };
  }

  #doContainer(method: string, database: string, container: string | undefined, body: unknown): Answer {
    if (method === "POST" && container === undefined) {
      const made = this.#account.createContainer(database, body as Definition);
      return { status: 201, body: { ...made.definition, _rid: made.rid } };
    }
    if (container === undefined) throw notFound();
    if (method === "DELETE") {
      this.#account.deleteContainer(database, container);
      return { status: 204 };
    }
    const { definition, rid } = this.#account.container(database, container);
    return { status: 200, body: { ...definition, _rid: rid } };
  }

  #ranges(database: string, container: string, seen: string | undefined): Answer {
    const { ranges, rid } = this.#account.container(database, container);
    const etag = `"${rid}"`;
    if (seen === etag) return { status: 304, headers: { etag } };
    const bound = (at: number): string =>
      at === 0
        ? ""
        : at === ranges
          ? "FF"
          : Math.floor((at * 256) / ranges)
              .toString(16)
              .toUpperCase();
    const all = Array.from({ length: ranges }, (_, at) => ({
      id: String(at),
      minInclusive: bound(at),
      maxExclusive: bound(at + 1),
      status: "online",
      parents: [],
    }));
    return { status: 200, body: { _rid: rid, PartitionKeyRanges: all, _count: ranges }, headers: { etag } };
  }

  #accountInfo(): unknown {
    const location = [{ name: "Local", databaseAccountEndpoint: `${this.url}/` }];
    return {
      id: "local",
      _rid: "local",
      writableLocations: location,
      readableLocations: location,
      enableMultipleWriteLocations: false,
      userConsistencyPolicy: { defaultConsistencyLevel: "Session" },
    };
  }

  /** What tests ask of the fixture itself. */
  #control(what: string | undefined, method: string | undefined, body: unknown): Answer {
    if (what === "counts") return { status: 200, body: this.#counter.all };
    if (what !== "faults") throw notFound();
    if (method === "DELETE") this.faults.clear();
    else this.faults.plan(body as Fault);
    return { status: 204 };
  }

  #headers({ charge = 1, headers }: Answer): Record<string, string> {
    return {
      date: new Date(this.#clock()).toUTCString(),
      "x-ms-request-charge": String(Math.round(charge * 100) / 100),
      "x-ms-activity-id": randomUUID(),
      ...headers,
    };
  }

  #fail(response: ServerResponse, failure: Failure): void {
    const { status, body, headers } = failure;
    reply(response, { status, body }, this.#headers({ status, headers }));
  }
}

function kindOfPath(segments: readonly string[], header: (name: string) => string | undefined): RequestKind {
  if (segments.length === 0) return "account";
  if (segments.length <= 2) return "database";
  if (segments.length <= 4) return "container";
  return segments[4] === "pkranges" ? "ranges" : kindOf({ header });
}

function failureOf({ status = 503, substatus, retryAfterMs }: Fault): Failure {
  return new Failure(status, "A fault that a test has asked for.", {
    ...(substatus !== undefined && { "x-ms-substatus": String(substatus) }),
    ...(retryAfterMs !== undefined && { "x-ms-retry-after-ms": String(retryAfterMs) }),
  });
}

function reply(response: ServerResponse, { status, body }: Answer, headers: Record<string, string> = {}): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
