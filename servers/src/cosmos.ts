import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Daemon, type TestServer } from "./daemon.ts";
import { COSMOS_KEY } from "./cosmos/service.ts";
import { freePort } from "./port.ts";
import { Sandbox } from "./sandbox.ts";

const main = fileURLToPath(new URL("cosmos/main.ts", import.meta.url));

/** Starts a local Cosmos DB of the caller's own, in a process of its own. What it has answered survives its kill. */
export async function startCosmos(): Promise<TestServer> {
  const port = await freePort();
  const sandbox = new Sandbox("cosmos", undefined, "SIGKILL");
  return await Daemon.start(sandbox, async () => {
    const url = `http://127.0.0.1:${port}`;
    const args = [main, String(port), join(sandbox.folder, "changes.jsonl")];
    return { command: process.execPath, args, url, end: "SIGTERM", greet: () => greetCosmos(url) };
  });
}

/** Rejects if it does not answer. */
export async function greetCosmos(url: string): Promise<void> {
  const response = await fetch(`${url}/_fixture/counts`);
  if (!response.ok) throw new Error(`It answers ${response.status}.`);
  await response.body?.cancel();
}

/** A connection string as Azure gives it. */
export function cosmosConnectionString(url: string): string {
  return `AccountEndpoint=${url}/;AccountKey=${COSMOS_KEY};`;
}
