/** A storage whose calls a test sees, delays, fails or answers itself. */
import { StorageError } from "../src/errors/index.ts";
import type { StorageBackend, StorageInfo } from "../src/storage.ts";

type Verb = {
  [K in keyof StorageBackend]-?: NonNullable<StorageBackend[K]> extends (...args: never[]) => Promise<unknown>
    ? K
    : never;
}[keyof StorageBackend];
type Method<V extends Verb> = Extract<NonNullable<StorageBackend[V]>, (...args: never[]) => Promise<unknown>>;

/** `call` does what was asked for; `nth` counts the calls of this verb from 1. */
export type Intercept = {
  [V in Verb]?: (call: () => ReturnType<Method<V>>, args: Parameters<Method<V>>, nth: number) => ReturnType<Method<V>>;
};

export function intercepted(
  storage: StorageBackend,
  intercept: Intercept,
  info: StorageInfo = storage.info,
): StorageBackend {
  const counts = new Map<string, number>();
  return new Proxy(storage, {
    get(target, key: keyof StorageBackend) {
      if (key === "info") return info;
      const member: unknown = target[key];
      if (typeof member !== "function") return member;
      return (...args: never[]) => {
        const nth = (counts.get(key) ?? 0) + 1;
        counts.set(key, nth);
        const call = (): Promise<unknown> => member.apply(target, args) as Promise<unknown>;
        const through = intercept[key as Verb] as
          | ((call: () => unknown, args: unknown, nth: number) => unknown)
          | undefined;
        return through === undefined ? call() : through(call, args, nth);
      };
    },
  });
}

export function unavailable(): StorageError {
  return new StorageError("unavailable", "The storage did not answer: an injected fault. Repeat the call.");
}

/** Something that a test lets happen later. */
export interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}
