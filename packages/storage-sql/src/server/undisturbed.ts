/** Makes a call that does not wait. */
export type Own = <R>(call: () => R) => R;

/** What is being used, and when that ends. */
const held = new WeakMap<object, Promise<void>>();

type Method = (this: object, ...args: readonly unknown[]) => unknown;

/**
 * Has something done with an object of the caller's, which nobody else shall disturb: until it is done, calls of one of its methods
 * wait, but for those made through `own`. A commit that the caller sends meanwhile would part what belongs together. Uses of one object,
 * and calls between them, take turns in the order in which they came.
 * @param isAnswer whether what such a call is given is also what it answers with; else it answers with a promise
 */
export async function undisturbed<T>(
  target: object,
  name: string,
  use: (own: Own) => Promise<T>,
  isAnswer: (given: unknown) => boolean = () => false,
): Promise<T> {
  // Somebody else may have come first again.
  for (let other = held.get(target); other !== undefined; other = held.get(target)) await other;
  const methods = target as Record<string, Method>;
  const usual = methods[name]!;
  const before = Object.getOwnPropertyDescriptor(target, name);
  const over = Promise.withResolvers<void>();
  held.set(target, over.promise);
  let isOwn = false;
  const waiting: Method = (...args) => {
    if (isOwn) return usual.call(target, ...args);
    const call = (): unknown => methods[name]!(...args);
    if (!isAnswer(args[0])) return over.promise.then(call);
    void over.promise.then(() => void call());
    return args[0];
  };
  methods[name] = waiting;
  try {
    return await use((call) => {
      isOwn = true;
      try {
        return call();
      } finally {
        isOwn = false;
      }
    });
  } finally {
    // A driver may have put something else there, when the connection was lost.
    if (methods[name] === waiting) {
      if (before === undefined) delete methods[name];
      else Object.defineProperty(target, name, before);
    }
    held.delete(target);
    over.resolve();
  }
}
