import { StorageError } from "../errors/index.ts";
import type { StorageBackend, WriteOptions } from "../storage/backend.ts";
import type { Subscription, Topic } from "../storage/operations.ts";
import type { Life } from "./life.ts";

/** A call that writes what runs are made of. */
export interface Write {
  readonly verb: "createRuns" | "deliver" | "commitTasks";
  readonly elements: readonly unknown[];
}

/** Who sees the writes of a process, and may end its life there. */
export interface WriteWatch {
  readonly before: (write: Write) => void;
  readonly after: (write: Write, answers: readonly unknown[]) => void;
}

const WRITES: ReadonlySet<string> = new Set<Write["verb"]>(["createRuns", "deliver", "commitTasks"]);

/** A client of the storage that is as good as gone when life is over: it asks for nothing more and hears nothing more. */
export function mortalStorage(storage: StorageBackend, life: Life, watch: WriteWatch): StorageBackend {
  return new Proxy(storage, {
    get(target, key: keyof StorageBackend) {
      const member: unknown = target[key];
      if (typeof member !== "function") return member;
      // No call to the store.
      if (key === "partOf") return member.bind(target) as unknown;
      if (key === "subscribe") return (onWake: (topic: Topic) => void) => subscribe(target, life, onWake);
      const call = (args: readonly unknown[]): Promise<unknown> => member.apply(target, args) as Promise<unknown>;
      if (!WRITES.has(key)) return (...args: readonly unknown[]) => life.go(() => call(args));
      return (...args: readonly unknown[]) => {
        const write = { verb: key, elements: args[0] } as Write;
        if (!life.isOver) watch.before(write);
        const { tx } = (args[1] ?? {}) as WriteOptions;
        return life.go(
          async () => {
            const answers = await call(args);
            if (!life.isOver) watch.after(write, answers as readonly unknown[]);
            return answers;
          },
          tx === undefined ? undefined : rollBack,
        );
      };
    },
  });
}

/** A database rolls the transactions of a dead process back: whoever began this one is brought to do the same. */
function rollBack(): Promise<never> {
  return Promise.reject(new StorageError("unavailable", "The worker of this transaction has crashed. Roll it back."));
}

function subscribe(storage: StorageBackend, life: Life, onWake: (topic: Topic) => void): Promise<Subscription> {
  return life.go(async () => {
    const subscription = await storage.subscribe!((topic) => life.isOver || onWake(topic));
    const close = (): Promise<void> => subscription.close().catch(() => {});
    if (life.isOver) await close();
    const forget = life.onEnd(() => void close());
    return {
      add: (topic) => subscription.add(topic),
      delete: (topic) => subscription.delete(topic),
      close: () => {
        forget();
        return subscription.close();
      },
    };
  });
}
