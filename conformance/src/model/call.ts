import type { StorageBackend } from "@perdure/core/storage";
import { inPages } from "./in-pages.ts";

type CalledVerb = Exclude<keyof StorageBackend, "info" | "setup" | "close" | "now" | "subscribe" | "partOf">;

/** A verb with its arguments. */
export type Call = {
  readonly [V in CalledVerb]: { readonly verb: V; readonly args: Readonly<Parameters<StorageBackend[V]>> };
}[CalledVerb];

/** A call and its answer. */
export type Exchange = {
  readonly [V in CalledVerb]: {
    readonly verb: V;
    readonly args: Readonly<Parameters<StorageBackend[V]>>;
    readonly answer: Awaited<ReturnType<StorageBackend[V]>>;
  };
}[CalledVerb];

/** Sends a call; a listing is read to its end. */
export async function send(backend: StorageBackend, { verb, args }: Call): Promise<Exchange> {
  const method = backend[verb] as (...all: readonly unknown[]) => Promise<unknown>;
  const answer = verb === "listRuns" ? await inPages(backend, args[0]) : await method.apply(backend, [...args]);
  return { verb, args, answer } as Exchange;
}

/** Whether an answer says that something was written. */
export function wrote(exchange: Exchange): boolean {
  switch (exchange.verb) {
    case "claimTasks":
      return exchange.answer.tasks.length > 0;
    case "purgeRuns":
      return exchange.answer.purged > 0;
    case "createRuns":
    case "renewLeases":
    case "commitTasks":
    case "unblockTasks":
    case "deliver":
    case "writeCache":
      return exchange.answer.some(({ status }) => WRITTEN.has(status));
    case "getRun":
    case "listRuns":
    case "readEvents":
    case "readCache":
    case "stats":
      return false;
    default:
      return exchange satisfies never;
  }
}

const WRITTEN: ReadonlySet<string> = new Set(["created", "held", "ok", "unblocked", "accepted", "written"]);
