import type { Account } from "./account.ts";
import { runBatch } from "./batch.ts";
import { queryCharge, readCharge, writeCharge } from "./charge.ts";
import type { Container } from "./container.ts";
import { Draft } from "./draft.ts";
import { Failure } from "./failure.ts";
import type { RequestKind } from "./faults.ts";
import { type Body, type Item, MOST_BYTES, rangeOf, sizeOf } from "./item.ts";
import type { Patch } from "./patch.ts";
import { parseQuery } from "./query/parse.ts";
import { needsPlan, planOf } from "./query/plan.ts";
import { runQuery } from "./query/run.ts";

/** A request for items of a container. */
export interface ItemRequest {
  readonly method: string;
  readonly database: string;
  readonly container: string;
  /** Of the path, if it names one. */
  readonly id: string | undefined;
  readonly body: unknown;
  readonly header: (name: string) => string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly charge?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a request for items asks for. */
export function kindOf({ header }: Pick<ItemRequest, "header">): RequestKind {
  if (header("x-ms-cosmos-is-query-plan-request")?.toLowerCase() === "true") return "plan";
  if (header("x-ms-documentdb-isquery")?.toLowerCase() === "true") return "query";
  return header("x-ms-cosmos-is-batch-request")?.toLowerCase() === "true" ? "batch" : "point";
}

/** @throws Failure */
export function answerItems(account: Account, request: ItemRequest, now: number): Answer {
  const container = account.container(request.database, request.container);
  switch (kindOf(request)) {
    case "plan": {
      const { query, parameters } = queryOf(request.body);
      return { status: 200, body: planOf(query, parseQuery(query), parameters) };
    }
    case "query":
      return answerQuery(container, request, now);
    case "batch": {
      const key = keyOf(request);
      const draft = new Draft(container, key, now);
      const { status, outcomes } = runBatch(draft, request.body as Parameters<typeof runBatch>[1]);
      if (status === 200) account.change(request.database, request.container, draft.changes);
      const charge = outcomes.reduce((sum, { requestCharge }) => sum + requestCharge, 0);
      return { status, body: outcomes, charge, headers: tokenOf(container, key) };
    }
    default:
      return answerPoint(account, container, request, now);
  }
}

function answerPoint(account: Account, container: Container, request: ItemRequest, now: number): Answer {
  const { method, id, header } = request;
  const conditions = { ifMatch: header("if-match"), ifNoneMatch: header("if-none-match") };
  const key = keyOf(request);
  const draft = new Draft(container, key, now);
  const body = request.body as Body;
  if (body !== undefined && sizeOf(body) > MOST_BYTES) throw new Failure(413, "Request size is too large.");
  const item = ((): Item | undefined => {
    if (method === "GET" && id !== undefined) return draft.read(id, conditions);
    if (method === "PUT" && id !== undefined) return draft.replace(id, body, conditions);
    if (method === "PATCH" && id !== undefined) return draft.patch(id, body as unknown as Patch, conditions);
    if (method === "DELETE" && id !== undefined) {
      draft.delete(id, conditions);
      return undefined;
    }
    if (method !== "POST" || id !== undefined) throw new Failure(405, "Method not allowed.");
    return header("x-ms-documentdb-is-upsert")?.toLowerCase() === "true"
      ? draft.upsert(body, conditions)
      : draft.create(body);
  })();
  account.change(request.database, request.container, draft.changes);
  const headers = { ...tokenOf(container, key), ...(item && { etag: item["_etag"] }) };
  if (item === undefined) return { status: 204, charge: writeCharge(0), headers };
  const bytes = sizeOf(item);
  const charge = method === "GET" ? readCharge(bytes) : writeCharge(bytes);
  return { status: method === "POST" ? 201 : 200, body: item, charge, headers };
}

/** In one partition, in a physical one, or in all of them one after the other. */
function answerQuery(container: Container, request: ItemRequest, now: number): Answer {
  const { header } = request;
  const { query: text, parameters } = queryOf(request.body);
  const query = parseQuery(text);
  const key = header("x-ms-documentdb-partitionkey") === undefined ? undefined : keyOf(request);
  const range = header("x-ms-documentdb-partitionkeyrangeid");
  if (key === undefined && range === undefined && needsPlan(query))
    throw new Failure(
      400,
      "The provided cross partition query can not be directly served by the gateway.",
      { "x-ms-substatus": "1004" },
      {
        additionalErrorInfo: JSON.stringify(planOf(text, query, parameters)),
      },
    );
  const place = { ...(key !== undefined && { key }), ...(range !== undefined && { range: Number(range) }) };
  const wanted = Number(header("x-ms-max-item-count") ?? -1);
  const pageSize = wanted > 0 ? Math.min(wanted, 1_000) : 100;
  const page = runQuery(container, {
    query,
    parameters,
    place,
    pageSize,
    continuation: header("x-ms-continuation"),
    now,
  });
  const token =
    key === undefined
      ? Array.from({ length: container.ranges }, (_, at) => container.sessionToken(at)).join(",")
      : container.sessionToken(rangeOf(key, container.ranges));
  return {
    status: 200,
    body: { _rid: container.rid, Documents: page.documents, _count: page.documents.length },
    charge: queryCharge(page.read, sizeOf(page.documents)),
    headers: {
      "x-ms-session-token": token,
      ...(page.continuation !== undefined && { "x-ms-continuation": page.continuation }),
    },
  };
}

function queryOf(body: unknown): { readonly query: string; readonly parameters: ReadonlyMap<string, unknown> } {
  const { query, parameters = [] } = body as {
    readonly query: string;
    readonly parameters?: readonly { readonly name: string; readonly value: unknown }[];
  };
  return { query, parameters: new Map(parameters.map(({ name, value }) => [name, value])) };
}

function keyOf({ header }: ItemRequest): string {
  const given = header("x-ms-documentdb-partitionkey");
  const key: unknown = given === undefined ? undefined : (JSON.parse(given) as unknown[])[0];
  if (typeof key !== "string") throw new Failure(400, "The partition key must be given, and a text.");
  if (Buffer.byteLength(key) > 2_048) throw new Failure(400, "The partition key is too long.");
  return key;
}

function tokenOf(container: Container, key: string): Readonly<Record<string, string>> {
  return { "x-ms-session-token": container.sessionToken(rangeOf(key, container.ranges)) };
}
