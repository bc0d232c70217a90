import type { Backend } from "../backends/backend.ts";
import type { Server } from "./server.ts";

/** A server as the report has it. */
export interface ServerEntry extends Pick<Server, "product" | "settings"> {
  readonly backend: string;
}

/** The servers of those backends that have one. */
export async function describeServers(backends: readonly Backend[]): Promise<readonly ServerEntry[]> {
  const servers: ServerEntry[] = [];
  for (const { name, describeServer } of backends) {
    if (describeServer === null) continue;
    const { product, settings } = await describeServer();
    servers.push({ backend: name, product, settings });
  }
  return servers;
}
