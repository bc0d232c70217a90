import type { StorageBackend } from "../storage/backend.ts";

/** Who watches a backend. Answers whom to tell when the call is over; `answer` is undefined if it threw. */
type Watch = (verb: keyof StorageBackend) => (answer: unknown) => void;

/** A backend whose calls somebody sees come and go. Everything else about it stays the same. */
export function watchedStorage(storage: StorageBackend, watch: Watch): StorageBackend {
  return new Proxy(storage, {
    get(target, key: keyof StorageBackend) {
      const member: unknown = target[key];
      if (typeof member !== "function") return member;
      // No call to the store.
      if (key === "partOf") return member.bind(target) as unknown;
      return async (...args: readonly unknown[]) => {
        const over = watch(key);
        let answer: unknown;
        try {
          answer = await (member.apply(target, args) as unknown);
          return answer;
        } finally {
          over(answer);
        }
      };
    },
  });
}
