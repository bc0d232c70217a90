import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientBase, type ClientConfig } from "pg";

/** A notification takes a millisecond. */
const PATIENCE_MS = 500;

/**
 * Whether somebody stands between this client and the server who lends connections out for single transactions. One who lends
 * them out for whole sessions does no harm, and looks nearly the same. What differs for sure is that a client that listens hears.
 */
export async function hasTransactionPooler(client: ClientBase, config: ClientConfig): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  // Who could cancel what this client does, by its own knowledge.
  const { processID } = client as ClientBase & { readonly processID?: number | null };
  return rows[0]!.pid === processID ? false : !(await hears(client, config));
}

/** Whether a client of its own hears a notification. The channel is nobody else's: whoever gets that connection next hears nothing. */
async function hears(client: ClientBase, config: ClientConfig): Promise<boolean> {
  const channel = `perdure_${randomBytes(8).toString("hex")}`;
  const listener = new Client(config);
  const over = new AbortController();
  try {
    listener.on("error", () => {});
    // Those of others may come here, too.
    const heard = new Promise<boolean>((resolve) => {
      listener.on("notification", (notification) => notification.channel === channel && resolve(true));
    });
    await listener.connect();
    await listener.query(`listen ${channel}`);
    await client.query("select pg_notify($1, '')", [channel]);
    const isHeard = await Promise.race([heard, sleep(PATIENCE_MS, false, { signal: over.signal })]);
    // Somebody else's connection listens now; most likely this goes to the same one.
    if (!isHeard) await listener.query(`unlisten ${channel}`);
    return isHeard;
  } catch {
    // There may be no second connection to be had.
    return false;
  } finally {
    over.abort();
    await listener.end();
  }
}
