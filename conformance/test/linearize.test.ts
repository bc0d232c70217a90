import { memory, virtualClock } from "@perdure/core/memory";
import type { StorageBackend } from "@perdure/core/storage";
import { describe, expect, it } from "vitest";
import { type Call, send } from "../src/model/call.ts";
import { linearize, type Recorded } from "../src/model/linearize.ts";
import { World } from "../src/model/world.ts";
import { toCall } from "../src/model/to-call.ts";

const NOW = Date.UTC(2026, 0, 1);

/** Calls that take effect one after the other, each recorded as if it had lasted as long as the test says. */
class Story {
  readonly history: Recorded[] = [];
  readonly world: World = new World(NOW);
  readonly #store: StorageBackend = memory({ clock: virtualClock(NOW) });

  async call(
    operation: Parameters<typeof toCall>[0],
    [began, ended]: readonly [number, number],
    store = this.#store,
  ): Promise<Call> {
    const call = toCall(operation, this.world)!;
    const exchange = await send(store, call);
    this.world.hear(operation.client, exchange);
    this.history.push({ client: operation.client, call, began, ended, exchange });
    return call;
  }

  /** Made, and nothing was heard of it. */
  unknown(operation: Parameters<typeof toCall>[0], began: number): void {
    const call = toCall(operation, this.world)!;
    this.history.push({ client: operation.client, call, began, ended: Infinity, exchange: undefined });
  }
}

const create = {
  do: "create",
  client: 0,
  runs: [{ run: "a", hash: 0, readyIn: null, deadlineIn: null, child: false }],
} as const;
const deliver = {
  do: "deliver",
  client: 1,
  messages: [{ run: "a", incarnation: "any", slot: 0, external: true }],
} as const;
const getRun = { do: "get-run", client: 0, run: "a" } as const;

describe("linearize", () => {
  it("finds an order of calls that overlap, whatever order they were recorded in", async () => {
    const story = new Story();
    await story.call(create, [1, 2]);
    await story.call(deliver, [3, 9]);
    await story.call(getRun, [4, 5]);
    story.history.reverse();
    expect(await linearize(story.history, NOW)).toBeUndefined();
  });

  it("does not explain a read that misses what was answered before it began", async () => {
    const story = new Story();
    await story.call(create, [1, 2]);
    await story.call(getRun, [5, 6]);
    await story.call(deliver, [3, 4]);
    const unexplained = await linearize(story.history, NOW);
    expect(unexplained?.next.call.verb).toBe("getRun");
    expect(unexplained?.explained).toHaveLength(2);
    expect(unexplained?.expected.answer).toMatchObject({ task: { unread: 1 } });
  });

  it("takes a call without an answer for done or for never made, but not for both", async () => {
    const done = new Story();
    await done.call(create, [1, 2]);
    await done.call(deliver, [3, 4]);
    await done.call(getRun, [5, 6]);
    const heard = done.history[1]!;
    done.history[1] = { ...heard, ended: Infinity, exchange: undefined };
    expect(await linearize(done.history, NOW)).toBeUndefined();

    const never = new Story();
    await never.call(create, [1, 2]);
    never.unknown(deliver, 3);
    await never.call(getRun, [5, 6]);
    expect(await linearize(never.history, NOW)).toBeUndefined();

    const undone = [...done.history, { ...never.history[2]!, began: 7, ended: 8 }];
    expect((await linearize(undone, NOW))?.next.began).toBe(7);
  });

  it("does not explain one task that two workers claim", async () => {
    const story = new Story();
    await story.call(create, [1, 2]);
    const claim = {
      do: "claim",
      client: 0,
      queues: ["left"],
      kinds: ["workflow"],
      workflows: ["order"],
      activities: [],
      limit: 1,
      lease: 1,
      inlineEvents: 16,
      overdue: false,
      forgets: false,
      tasks: null,
    } as const;
    const other = memory({ clock: virtualClock(NOW) });
    await send(other, story.history[0]!.call);
    await story.call(claim, [3, 6]);
    await story.call({ ...claim, client: 1 }, [4, 5], other);
    expect((await linearize(story.history, NOW))?.expected.answer).toMatchObject({ tasks: [] });
  });
});
