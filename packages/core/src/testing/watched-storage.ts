import type { StorageBackend } from "../storage/backend.ts";

/** Who watches a backend. */
export interface StorageWatch {
  readonly called: (verb: keyof StorageBackend) => void;
  readonly answered: (verb: keyof StorageBackend, answer: unknown) => void;
}

/** A backend whose calls somebody sees come and go. Everything else about it stays the same. */
export function watchedStorage(storage: StorageBackend, watch: StorageWatch): StorageBackend {
  return new Proxy(storage, {
    get(target, key: keyof StorageBackend) {
      const member: unknown = target[key];
      if (typeof member !== "function") return member;
      return async (...args: readonly unknown[]) => {
        watch.called(key);
        let answer: unknown;
        try {
          answer = await (member.apply(target, args) as unknown);
          return answer;
        } finally {
          watch.answered(key, answer);
        }
      };
    },
  });
}
