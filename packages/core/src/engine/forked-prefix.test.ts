import { describe, expect, it } from "vitest";
import { jsonCodec } from "../codec/json-codec.ts";
import type { StoredEvent } from "../storage/event.ts";
import { childIncarnation } from "./child-name.ts";
import { copyOwed, forkedFrom, forkedPrefix, stateAfter } from "./forked-prefix.ts";

const FORK = { runId: "fork", incarnation: "incarnation-fork", attributes: {} };
const FROM = { runId: "source", incarnation: "incarnation-source" };
const STARTED = { type: "WORKFLOW_STARTED", command: null, data: { workflow: "w" } };

type Sketch = { readonly type: string; readonly command?: number | null; readonly data?: object };

function history(...events: readonly Sketch[]): readonly StoredEvent[] {
  return events.map(({ type, command = null, data = {} }, at) => ({
    seq: at + 1,
    type,
    command,
    at: 1_000 + at,
    data: JSON.stringify(data),
  }));
}

/** Types with their commands, by seq from 2. */
function kept(source: readonly StoredEvent[]): readonly string[] {
  return forkedPrefix(source, FROM, FORK).events.map(({ type, command }) => `${type} ${command ?? ""}`.trim());
}

describe("forkedPrefix", () => {
  it("leaves out the end and activities without an outcome, and keeps every other byte", () => {
    const source = history(
      STARTED,
      { type: "ACTIVITY_SCHEDULED", command: 1 },
      { type: "ACTIVITY_RETRYING", command: 2 },
      { type: "ACTIVITY_SCHEDULED", command: 3 },
      { type: "TIMER_STARTED", command: 4, data: { dueAt: 5 } },
      { type: "ACTIVITY_RETRYING", command: 2 },
      { type: "ACTIVITY_COMPLETED", command: 3, data: { output: { $: "Date", v: 0 } } },
      { type: "ACTIVITY_FAILED", command: 2 },
      { type: "SIGNAL_AWAITED", command: 5, data: { signal: "go" } },
      { type: "SIGNAL_SENT", command: 6, data: { signal: "go", runId: "other", payload: 1 } },
      { type: "CANCEL_REQUESTED" },
      { type: "WORKFLOW_FAILED" },
    );
    const { events, baseSeq, resends } = forkedPrefix(source, FROM, FORK);
    expect([baseSeq, resends]).toEqual([0, []]);
    expect(events).toEqual(source.slice(2, -1).map(({ type, command, at, data }) => ({ type, command, at, data })));
  });

  it("renames children without an outcome by their place in the fork, and what was sent to them", () => {
    const old = { runId: "kid", incarnation: "incarnation-kid" };
    const source = history(
      STARTED,
      { type: "ACTIVITY_SCHEDULED", command: 1 },
      { type: "CHILD_SCHEDULED", command: 2, data: { workflow: "k", ...old, input: 1 } },
      { type: "CHILD_SCHEDULED", command: 3, data: { workflow: "k", runId: "done", incarnation: "incarnation-done" } },
      { type: "CHILD_STARTED", command: 2 },
      { type: "CHILD_STARTED", command: 3 },
      { type: "SIGNAL_SENT", command: 4, data: { signal: "go", ...old, payload: 1 } },
      { type: "SIGNAL_DELIVERED", command: 4, data: { status: "accepted" } },
      { type: "SIGNAL_SENT", command: 5, data: { signal: "go", ...old, payload: 2 } },
      { type: "SIGNAL_DELIVERED", command: 5, data: { status: "closed" } },
      { type: "SIGNAL_SENT", command: 6, data: { signal: null, ...old, payload: 3 } },
      { type: "SIGNAL_SENT", command: 7, data: { signal: "go", runId: "kid", payload: 4 } },
      { type: "CHILD_COMPLETED", command: 3 },
    );
    const { events, resends } = forkedPrefix(source, FROM, FORK);
    const name = childIncarnation(FORK.incarnation, 2);
    const renamed = { runId: `child-${name}`, incarnation: name };
    expect(events.map(({ type, command }) => `${type} ${command}`)).toEqual([
      "CHILD_SCHEDULED 2",
      "CHILD_SCHEDULED 3",
      "CHILD_STARTED 3",
      "SIGNAL_SENT 4",
      "SIGNAL_DELIVERED 4",
      "SIGNAL_SENT 5",
      "SIGNAL_DELIVERED 5",
      "SIGNAL_SENT 6",
      "SIGNAL_SENT 7",
      "CHILD_COMPLETED 3",
    ]);
    expect(JSON.parse(events[0]!.data)).toEqual({ workflow: "k", ...renamed, input: 1 });
    expect(JSON.parse(events[1]!.data)).toMatchObject({ runId: "done", incarnation: "incarnation-done" });
    for (const at of [3, 5, 7]) expect(JSON.parse(events[at]!.data)).toMatchObject(renamed);
    expect(JSON.parse(events[8]!.data)).toMatchObject({ runId: renamed.runId });
    // Only what the child of the source has got: what is open is sent by itself, what was refused was never got.
    expect(resends).toEqual([{ child: 2, sends: [5] }]);
  });

  it("sends to the fork what the source sent to itself, unless it is there already", () => {
    const own = (n: number) => ({ signal: "go", runId: "source", payload: n });
    const source = history(
      STARTED,
      { type: "ACTIVITY_SCHEDULED", command: 1 },
      { type: "SIGNAL_SENT", command: 2, data: own(1) },
      { type: "SIGNAL_DELIVERED", command: 2, data: { status: "accepted" } },
      { type: "SIGNAL_SENT", command: 3, data: own(2) },
      { type: "SIGNAL_DELIVERED", command: 3, data: { status: "accepted" } },
      { type: "SIGNAL_SENT", command: 4, data: own(3) },
      { type: "SIGNAL_RECEIVED", data: { signal: "go", id: "incarnation-source-3", payload: 1 } },
      { type: "SIGNAL_RECEIVED", data: { signal: "go", id: "signal:x", payload: 9 } },
    );
    const { events, resends } = forkedPrefix(source, FROM, FORK);
    const data = events.map((event) => JSON.parse(event.data) as { readonly runId?: string; readonly id?: string });
    expect(data.map(({ runId }) => runId).filter(Boolean)).toEqual(["fork", "fork", "fork"]);
    expect(data.map(({ id }) => id).filter(Boolean)).toEqual(["incarnation-fork-2", "signal:x"]);
    expect(resends).toEqual([{ child: null, sends: [4] }]);
    // A fork of the fork finds what it needs.
    const again = forkedPrefix([source[0]!, ...events.map((event, at) => ({ ...event, seq: at + 2 }))], FORK, {
      ...FROM,
      attributes: {},
    });
    expect(again.resends).toEqual([{ child: null, sends: [4] }]);
  });

  it("takes earlier generations word for word, so that what refers to them stands, and leaves their children with the source", () => {
    const source = history(
      STARTED,
      { type: "SIGNAL_RECEIVED", data: { signal: "go", id: "1" } },
      { type: "ACTIVITY_SCHEDULED", command: 1 },
      { type: "CHILD_SCHEDULED", command: 2, data: { runId: "kid", incarnation: "incarnation-kid" } },
      { type: "CHILD_STARTED", command: 2 },
      { type: "WORKFLOW_CONTINUED_AS_NEW", data: { input: { n: 1 }, generation: 2, signals: [2], children: [4] } },
      { type: "ACTIVITY_SCHEDULED", command: 1 },
      { type: "TIMER_STARTED", command: 2 },
    );
    const { events, baseSeq } = forkedPrefix(source, FROM, FORK);
    expect(baseSeq).toBe(5);
    expect(events.slice(0, 4)).toEqual(
      source.slice(1, 5).map(({ type, command, at, data }) => ({ type, command, at, data })),
    );
    expect(JSON.parse(events[4]!.data)).toEqual({ input: { n: 1 }, generation: 2, signals: [2], children: [] });
    expect(events.slice(5).map(({ type }) => type)).toEqual(["TIMER_STARTED"]);
    // The cut is in the first generation.
    expect(forkedPrefix(source.slice(0, 5), FROM, FORK).baseSeq).toBe(0);
    expect(kept(source.slice(0, 5))).toEqual(["SIGNAL_RECEIVED", "CHILD_SCHEDULED 2"]);
  });

  it("of a first event alone is empty", () => {
    expect(forkedPrefix(history(STARTED), FROM, FORK)).toEqual({ events: [], baseSeq: 0, attributes: {}, resends: [] });
  });
});

describe("copyOwed", () => {
  const from = { runId: "source", incarnation: "incarnation-s", seq: 7 };
  const started = { ...STARTED, data: { workflow: "w", forkedFrom: from } };
  const forked = (fromIncarnation: string) => ({
    type: "FORKED",
    data: { fromRunId: "x", fromIncarnation, fromSeq: 1 },
  });

  it("is what a fork comes from until its own FORKED is there: those of its source do not count", () => {
    expect(copyOwed(history(started))).toEqual(from);
    expect(copyOwed(history(started, forked("incarnation-of-the-sources-source")))).toEqual(from);
    expect(copyOwed(history(started, forked("incarnation-r"), forked("incarnation-s")))).toBeNull();
  });

  it("is nothing for a run that is no fork, whatever its attributes are called", () => {
    expect(copyOwed([])).toBeNull();
    expect(copyOwed(history(STARTED))).toBeNull();
    expect(copyOwed(history({ type: "WORKFLOW_CONTINUED_AS_NEW", data: { forkedFrom: from } }))).toBeNull();
    const named = { ...STARTED, data: { workflow: "w", attributes: { forkedFrom: "x" } } };
    expect(forkedFrom(history(named)[0])).toBeNull();
  });
});

describe("what a fork's row says", () => {
  const initial = (input: unknown): unknown => ({ input, n: 0 });

  it("is the state after the last change of its generation", () => {
    const input = jsonCodec.encode("in");
    const first = history(
      STARTED,
      { type: "STATE_SET", command: 1, data: { key: "n", value: 1 } },
      { type: "STATE_UPDATE", command: 2, data: { value: { m: { $: "BigInt", v: "5" } } } },
    );
    expect(stateAfter(jsonCodec, first, input, initial)).toBe(jsonCodec.encode({ input: "in", n: 1, m: 5n }));
    expect(stateAfter(jsonCodec, history(STARTED), input, initial)).toBe(jsonCodec.encode({ input: "in", n: 0 }));
    expect(stateAfter(jsonCodec, history(STARTED), input, () => undefined)).toBeUndefined();
    const second = history({ type: "WORKFLOW_CONTINUED_AS_NEW", data: { input: "next" } });
    expect(stateAfter(jsonCodec, second, input, initial)).toBe(jsonCodec.encode({ input: "next", n: 0 }));
  });

  it("is every attribute of its start or set since, in whatever generation", () => {
    const next = { input: 1, generation: 2, signals: [], children: [] };
    const source = history(
      { ...STARTED, data: { attributes: { a: 1, b: "x" } } },
      { type: "ATTRIBUTES_SET", command: 1, data: { attributes: { b: "y" } } },
      { type: "WORKFLOW_CONTINUED_AS_NEW", data: { ...next, attributes: { a: 1, b: "y" } } },
      { type: "ATTRIBUTES_SET", command: 1, data: { attributes: { c: true } } },
    );
    const same = forkedPrefix(source, FROM, { ...FORK, attributes: { a: 1, b: "x" } });
    expect(same.attributes).toEqual({ a: 1, b: "y", c: true });
    expect(same.events[1]!.data).toBe(source[2]!.data);
    const other = forkedPrefix(source, FROM, { ...FORK, attributes: { a: 2 } });
    expect(other.attributes).toEqual({ a: 2, b: "y", c: true });
    expect(JSON.parse(other.events[1]!.data)).toEqual({ ...next, attributes: { a: 2, b: "y" } });
  });
});
