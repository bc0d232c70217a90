import type { ServerAddress } from "../src/proxy/proxy.ts";

const VARIABLE = "PERDURE_CONFORMANCE_STORE";

/** The name of the store that this process and its children use on a server. */
export function storeName(): string {
  process.env[VARIABLE] ??= `perdure_conformance_${process.pid}`;
  return process.env[VARIABLE];
}

/** Whether the process that a store is named after still runs. */
export function isAlive(name: string): boolean {
  try {
    process.kill(Number(name.split("_").at(-1)), 0);
    return true;
  } catch {
    return false;
  }
}

/** All namespaces of one case begin alike. */
export function caseOf(namespace: string): string {
  return namespace.split("_", 1)[0]!;
}

/** Where a URL leads. */
export function addressOf(url: string): ServerAddress {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

/** The same URL at another address. */
export function urlAt(url: string, { host, port }: ServerAddress): string {
  const moved = new URL(url);
  moved.hostname = host;
  moved.port = String(port);
  return moved.href;
}
