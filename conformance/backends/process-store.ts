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

/** Where a URL leads. */
export function addressOf(url: string): ServerAddress {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

const OWN = "PERDURE_CONFORMANCE_OWN_SERVER";

/** Makes a case's own server known to {@link ownUrl}, in child processes, too. */
export function noteOwnServer({ port, url }: { readonly port: number; readonly url: string }): void {
  process.env[`${OWN}_${port}`] = url;
}

/** The URL of a case's own server; undefined if there is another at this address. */
export function ownUrl(address: ServerAddress | undefined): string | undefined {
  return address && process.env[`${OWN}_${address.port}`];
}

/** The same URL at another address. */
export function urlAt(url: string, { host, port }: ServerAddress): string {
  const moved = new URL(url);
  moved.hostname = host;
  moved.port = String(port);
  return moved.href;
}
