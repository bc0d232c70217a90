import { Redis } from "ioredis";

/** Works on a connection of its own, which is not repaired: what goes wrong is thrown. */
export async function withRedis<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 5_000,
    enableReadyCheck: false,
    retryStrategy: null,
  });
  let cause: Error | undefined;
  client.on("error", (error) => (cause = error));
  try {
    await client.connect();
    return await use(client);
  } catch (error) {
    // It says of all of them that the connection is closed.
    throw cause ?? error;
  } finally {
    client.disconnect();
  }
}

/** What `INFO` and `CLUSTER INFO` answer, by name. */
export function redisFields(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\r\n").filter((line) => line.includes(":"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}
