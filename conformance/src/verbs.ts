import type { StorageBackend } from "@perdure/core/storage";

export const VERBS = [
  "setup",
  "close",
  "now",
  "createRuns",
  "getRun",
  "listRuns",
  "readEvents",
  "claimTasks",
  "renewLeases",
  "commitTasks",
  "unblockTasks",
  "deliver",
  "readCache",
  "writeCache",
  "stats",
  "purgeRuns",
] as const satisfies readonly (keyof StorageBackend)[];

export type Verb = (typeof VERBS)[number];

/** Calls of every verb pass through `through`; all else stays the backend's own. */
export function wrapVerbs(
  backend: StorageBackend,
  through: (verb: Verb, args: readonly unknown[], call: () => Promise<unknown>) => Promise<unknown>,
): StorageBackend {
  const wrapped: Record<string, unknown> = {};
  for (const verb of VERBS) {
    const method = backend[verb] as (...args: readonly unknown[]) => Promise<unknown>;
    wrapped[verb] = (...args: readonly unknown[]) => through(verb, args, () => method.apply(backend, [...args]));
  }
  const subscribe = backend.subscribe?.bind(backend);
  return {
    ...(wrapped as unknown as StorageBackend),
    get info() {
      return backend.info;
    },
    ...(subscribe && { subscribe }),
  };
}
