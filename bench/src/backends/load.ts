import type { Backend } from "./backend.ts";

/** A process loads the one that it works with: the drivers of others would cost it time and memory. */
const loaders: Readonly<Record<string, () => Promise<Backend>>> = {
  memory: async () => (await import("./memory.ts")).memoryBackend,
  sqlite: async () => (await import("./sqlite.ts")).sqliteBackend,
  file: async () => (await import("./file.ts")).fileBackend,
  postgres: async () => (await import("./postgres.ts")).postgresBackend,
  mysql: async () => (await import("./mysql.ts")).mysqlBackend,
  redis: async () => (await import("./redis.ts")).redisBackend,
  cosmos: async () => (await import("./cosmos.ts")).cosmosBackend,
};

export const backendNames: readonly string[] = Object.keys(loaders);

export function loadBackend(name: string): Promise<Backend> {
  return loaders[name]!();
}
