import { setTimeout as sleep } from "node:timers/promises";
import type { StorageBackend } from "@perdure/core/storage";
import type { CaseContext } from "./context.ts";
import { wrapVerbs } from "./verbs.ts";

/**
 * For cases that run the engine in real time: a subject's clock may stand still until a case moves it. Answers a decorator for clients;
 * through it, every call first moves such a clock to where the real one is.
 */
export async function flowingTime(t: CaseContext): Promise<(backend: StorageBackend) => StorageBackend> {
  const { subject } = t;
  const before = await t.time.now();
  await sleep(10);
  if (subject.advance === undefined || (await t.time.now()) > before) return (backend) => backend;

  let last = performance.now();
  const catchUp = async (): Promise<void> => {
    const ms = Math.floor(performance.now() - last);
    last += ms;
    if (ms > 0) await subject.advance?.(t.namespace(), ms);
  };
  return (backend) =>
    wrapVerbs(backend, async (_verb, _args, call) => {
      await catchUp();
      return call();
    });
}
