import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";

/** Counts every HTTP request that this process sends to a Cosmos DB from now on. */
export function countCosmosRequests(host: string): () => number {
  let count = 0;
  subscribe("http.client.request.start", (message) => {
    const { request } = message as { readonly request: ClientRequest };
    if (request.getHeader("host") === host) count++;
  });
  return () => count;
}
