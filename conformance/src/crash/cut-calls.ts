import { setTimeout as sleep } from "node:timers/promises";
import type { ClaimResult, StorageBackend } from "@perdure/core/storage";
import type { CutMoment } from "../proxy/cut.ts";
import type { TcpProxy } from "../proxy/proxy.ts";
import { type Verb, wrapVerbs } from "../verbs.ts";
import { WRITES } from "./script.ts";
import { insist } from "./traffic.ts";

/** Where in a call its connection is cut: at a request of this call, counted from 1, or before the call, when it is `idle`. */
export type Place = { readonly at: CutMoment; readonly request: number } | { readonly at: "idle" };

/** What a call went through. */
export interface CutCall {
  readonly verb: Verb;
  /** `null`: it was left alone, or its connection was not cut after all. */
  readonly cut: Place | null;
  /** Requests of the call, the repeated ones included. */
  readonly requests: number;
  /** How often the caller had to repeat it. */
  readonly repeated: number;
  readonly answer: unknown;
}

/** How long a transaction may live on whose client is gone. */
const UNDONE_MS = 2_000;

/**
 * A client behind a proxy whose n-th write is cut where `place` says. What throws `unavailable` is repeated as it was, as the port
 * asks of its callers.
 */
export function cutCalls(
  client: StorageBackend,
  proxy: TcpProxy,
  place: (write: number) => Place | null,
  note: (call: CutCall) => void,
): StorageBackend {
  let writes = 0;
  return wrapVerbs(client, async (verb, _args, call) => {
    if (!WRITES.has(verb)) return insist(call);
    const planned = place(writes++);
    const before = proxy.requests;
    const wasCut = arm(proxy, planned);
    let calls = 0;
    const repeat = (): Promise<unknown> => {
      calls += 1;
      return call();
    };
    let answer = await insist(repeat);
    const cut = wasCut() ? planned : null;
    if (cut !== null && verb === "claimTasks") answer = await claimWhatIsFree(answer as ClaimResult, repeat);
    note({ verb, cut, requests: proxy.requests - before, repeated: calls - 1, answer });
    return answer;
  });
}

/** Answers with a question that ends the plan: whether the cut has happened. */
function arm(proxy: TcpProxy, place: Place | null): () => boolean {
  if (place === null) return () => false;
  if (place.at === "idle") {
    const connections = proxy.cut();
    return () => connections > 0;
  }
  const cut = place.at === "before" ? proxy.cutBeforeRequest(place.request) : proxy.cutAfterReply(place.request);
  return () => {
    cut.disarm();
    return cut.happened;
  };
}

/** The claim before may still be about to be undone: until then its task is not free, and a claim passes over it. */
async function claimWhatIsFree(first: ClaimResult, claim: () => Promise<unknown>): Promise<ClaimResult> {
  const sent = performance.now();
  let result = first;
  while (result.tasks.length === 0 && performance.now() - sent < UNDONE_MS) {
    await sleep(20);
    result = (await insist(claim)) as ClaimResult;
  }
  return result;
}
