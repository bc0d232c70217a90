import type { Server } from "./server.ts";

const VARIABLE = "PERDURE_COSMOS_URL";

/** Starts a local stand-in, if none is named, for this process and for those that it starts. */
export async function useCosmos(): Promise<void> {
  if (process.env[VARIABLE] !== undefined) return;
  // Not loaded where the server is known already.
  const { startCosmos } = await import("perdure-servers");
  process.env[VARIABLE] = (await startCosmos()).url;
}

/** The stand-in that {@link useCosmos} found. */
export function cosmosUrl(): string {
  return process.env[VARIABLE]!;
}

/** It says nothing of the speed of the service: only requests and request units count. */
export async function describeCosmos(): Promise<Server> {
  const counts = (await (await fetch(new URL("/_fixture/counts", cosmosUrl()))).json()) as {
    requests: number;
    charge: number;
  };
  return {
    product: "Local stand-in for Azure Cosmos DB",
    settings: { requests: String(counts.requests), "request units": String(counts.charge) },
    pid: null,
  };
}
