import type { Runtime } from "../model/runtime.ts";
import type { Life } from "./life.ts";

/** A runtime whose timers are called off when life is over, and that goes on with nothing then. */
export function mortalRuntime(runtime: Runtime, life: Life): Runtime {
  return {
    monotonic: runtime.monotonic,
    after(ms, fn, options) {
      if (life.isOver) return () => {};
      const fire = (): void => {
        forget();
        fn();
      };
      const cancel = runtime.after(ms, fire, options);
      const forget = life.onEnd(cancel);
      return () => {
        forget();
        cancel();
      };
    },
    defer: (fn) => runtime.defer(() => life.isOver || fn()),
    settle: () => life.go(runtime.settle),
    id: runtime.id,
    random: runtime.random,
  };
}
