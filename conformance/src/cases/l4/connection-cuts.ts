import { memory } from "@perdure/core/memory";
import type { StorageBackend } from "@perdure/core/storage";
import { check, equal } from "../../assert.ts";
import type { ConformanceCase } from "../../case.ts";
import type { CaseContext } from "../../context.ts";
import { type CutCall, type Place, cutCalls } from "../../crash/cut-calls.ts";
import { Script, WRITES } from "../../crash/script.ts";
import { TcpProxy } from "../../proxy/proxy.ts";
import type { Random } from "../../random.ts";
import type { Verb } from "../../verbs.ts";

/** How a write is answered; after a cut, the second is that it had been applied already. */
const ANSWERS: Partial<Record<Verb, readonly [string, string?]>> = {
  createRuns: ["created", "existing"],
  deliver: ["accepted", "duplicate"],
  commitTasks: ["ok", "duplicate"],
  renewLeases: ["held"],
  unblockTasks: ["unblocked", "not-blocked"],
  writeCache: ["written", "kept"],
};
const RECOGNISED = "cut-commit-recognised";

export const connectionCuts: ConformanceCase = {
  id: "recovery.connection-cuts",
  level: "L4",
  requires: "network",
  nemesis: "cuts",
  invariants: ["I3", "I4", "I7", "I12"],
  guards: [RECOGNISED],
  why: "A connection can break after a call was executed and before its answer has arrived: the caller repeats the call, and must neither lose nor double anything.",
  hint: "Does a broken connection show as `unavailable`, also one that broke while nobody used it? Is a repeated commit known by its id, a start by its hash, a message by its dedupe id, a claim by its instance?",
  timeoutMs: 300_000,
  async run(t) {
    const { cuts } = t.strikes;
    const seed = t.random.int(2 ** 31);
    const expected = await view(t, new Script(seed), await playModel(seed));
    const proxy = await TcpProxy.start(t.subject.server!);
    t.onEnd(() => proxy.close());

    // What the server has to be taught first is no part of what a call needs from then on.
    await play(t, proxy, seed, "first", () => null);
    const undisturbed = await play(t, proxy, seed, "c0", () => null);
    check(
      undisturbed.some(({ requests }) => requests > 0),
      "a client that is opened with another `server` connects there",
    );
    const decks = undisturbed.map(({ requests }) => new Deck(t.random, requests));
    let happened = 0;
    const unseen = (): Verb | undefined => [...WRITES].find((verb) => !t.counts.has(`${verb} cut after`));
    // Most cuts happen. A call may need fewer requests than the time before: those that aim behind them do not.
    for (let round = 1; (happened < cuts || unseen()) && round <= cuts; round++) {
      const missing = unseen();
      const wanted = [...decks.keys()].filter((write) => happened < cuts || undisturbed[write]!.verb === missing);
      const chosen = new Set(t.random.shuffle(wanted).slice(0, Math.max(1, cuts - happened)));
      const calls = await play(t, proxy, seed, `c${round}`, (write) =>
        chosen.has(write) ? decks[write]!.draw() : null,
      );
      for (const call of calls) count(t, call);
      const cut = calls.filter((call) => call.cut !== null);
      happened += cut.length;
      const storage = await t.open({ namespace: `c${round}` });
      const places = cut.map(print).join("; ");
      for (const [part, seen] of await view(t, new Script(seed), storage))
        equal(
          seen,
          expected.get(part),
          `${part} is as if no connection had been cut (I3, I4, I7, I12); after ${places}`,
        );
      await storage.close();
    }
    check(
      happened >= cuts,
      `connections were cut ${cuts} times, not ${happened}: a cut that never happened proves nothing`,
    );
    check(!unseen(), `${unseen()} was executed at least once without its client hearing of it`);
  },
};

/** Has the script played through the proxy, in a namespace of its own. Answers with what each of its writes went through. */
async function play(
  t: CaseContext,
  proxy: TcpProxy,
  seed: number,
  namespace: string,
  place: (write: number) => Place | null,
): Promise<readonly CutCall[]> {
  const client = await t.open({ namespace, server: proxy });
  const calls: CutCall[] = [];
  const note = (call: CutCall): void => {
    calls.push(call);
    judge(t, call);
  };
  await new Script(seed).play(cutCalls(client, proxy, place, note));
  await client.close();
  return calls;
}

async function playModel(seed: number): Promise<StorageBackend> {
  const model = memory();
  await model.setup();
  await new Script(seed).play(model);
  return model;
}

/** What the port shows, part by part, but for what a claim that was repeated may change: its epoch. */
async function view(t: CaseContext, script: Script, storage: StorageBackend): Promise<ReadonlyMap<string, unknown>> {
  const { runs, cache, leases } = await script.view(storage);
  const parts: [string, unknown][] = [
    ["the cache", cache],
    ["what was renewed", leases],
  ];
  for (const [index, { run, events }] of runs.entries())
    parts.push(
      [`run ${index + 1}`, run && { ...run, task: run.task && { ...run.task, epoch: "an epoch" } }],
      [`the history of run ${index + 1}`, events],
    );
  if (t.info.capabilities.listing !== "eventual") {
    const { runs: counts, queues } = await storage.stats();
    parts.push(
      ["the count of runs", counts],
      ["the count of tasks", queues.map((queue) => ({ ...queue, oldestReadyAt: null }))],
    );
  }
  return new Map(parts);
}

/** Whether each element of the batch was answered as if it was applied once. */
function judge(t: CaseContext, call: CutCall): void {
  const [applied, again] = ANSWERS[call.verb] ?? [];
  if (applied === undefined) return;
  for (const { status } of call.answer as readonly { readonly status: string }[]) {
    const recognised = call.cut !== null && status === again;
    check(
      recognised || status === applied,
      `${print(call)}, is answered as if it was applied once, not ${status} (I7)`,
    );
    if (recognised && call.verb === "commitTasks") t.guard(RECOGNISED);
  }
}

function count(t: CaseContext, { verb, cut, repeated }: CutCall): void {
  if (cut === null) return;
  t.count("cuts");
  t.count(`${verb} cut ${cut.at}`);
  t.count(repeated > 0 ? "calls that the caller repeated" : "calls that were answered all the same");
}

function print({ verb, cut }: CutCall): string {
  if (cut === null) return `${verb}, not cut`;
  return cut.at === "idle" ? `${verb}, cut when idle` : `${verb}, cut ${cut.at} request ${cut.request}`;
}

/** Every place at which one write can be cut, again and again, each time in another order. */
class Deck {
  readonly #random: Random;
  readonly #places: readonly Place[];
  #cards: Place[];

  constructor(random: Random, requests: number) {
    const numbers = Array.from({ length: requests }, (_, index) => index + 1);
    const cuts = (["before", "after"] as const).flatMap((at) => numbers.map((request) => ({ at, request })));
    this.#random = random;
    this.#places = [{ at: "idle" }, ...cuts];
    // On top the one that matters most: all is done, and nobody knows.
    this.#cards = [...random.shuffle(this.#places.slice(0, -1)), this.#places.at(-1)!];
  }

  draw(): Place {
    if (this.#cards.length === 0) this.#cards = this.#random.shuffle(this.#places);
    return this.#cards.pop()!;
  }
}
