import { type ConnectionPool, PulseSignals, tidings, type TopicCode } from "@perdure/storage-sql";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

interface Pulse {
  readonly no: number;
  readonly topics: string;
}

/** A table of pulses that answers the few statements there are. */
class Table {
  pulses: Pulse[] = [];
  isAway = false;
  looks = 0;
  /** How long it takes to answer. */
  slowMs = 0;

  readonly pool = {
    with: (use: (connection: object) => Promise<unknown>) =>
      use({
        send: async ([{ sql }]: [{ sql: string }]) => {
          if (this.slowMs > 0) await new Promise((resolve) => void setTimeout(resolve, this.slowMs));
          return [{ rows: this.#answer(sql), count: 0 }];
        },
      }),
  } as unknown as ConnectionPool;

  add(no: number, ...codes: TopicCode[]): void {
    this.pulses.push({ no, topics: tidings("other", new Set(codes), 100) });
  }

  #answer(sql: string): readonly object[] {
    if (this.isAway) throw new Error("away");
    if (sql.startsWith("delete")) {
      const before = Number(/no < (-?\d+)$/u.exec(sql)![1]);
      this.pulses = this.pulses.filter(({ no }) => no >= before);
      return [];
    }
    if (sql.includes("coalesce")) return [{ no: Math.max(0, ...this.pulses.map(({ no }) => no)) }];
    this.looks += 1;
    const after = Number(/no > (\d+)/u.exec(sql)![1]);
    const missing = (/in \(([\d,]+)\)/u.exec(sql)?.[1] ?? "").split(",").map(Number);
    return this.pulses.filter(({ no }) => no > after || missing.includes(no)).toSorted((a, b) => a.no - b.no);
  }
}

let table: Table;
let signals: PulseSignals;
let heard: (readonly TopicCode[] | undefined)[];
const hear = (codes: Iterable<TopicCode> | undefined): void => void heard.push(codes && [...codes]);

/** Time passes, in which it looks as often as it likes. */
async function pass(ms: number): Promise<readonly (readonly TopicCode[] | undefined)[]> {
  await vi.advanceTimersByTimeAsync(ms);
  return heard.splice(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  table = new Table();
  signals = new PulseSignals(table.pool, "pulses", "own");
  heard = [];
});

afterEach(async () => {
  await signals.stop();
  vi.useRealTimers();
});

test("new pulses are heard soon, old and own ones never; what says nothing is about anything", async () => {
  table.add(7, 1);
  await signals.start(hear);
  expect(await pass(1000)).toEqual([]);
  table.add(8, 2, 3);
  table.pulses.push({ no: 9, topics: tidings("own", new Set([4]), 100) }, { no: 10, topics: "other;*" });
  expect(await pass(500)).toEqual([[2, 3], undefined]);
});

test("a pulse that appears after a later one is heard, too; where too many are missing it may be anything (I11)", async () => {
  await signals.start(hear);
  table.add(3, 3);
  expect(await pass(500)).toEqual([[3]]);
  table.add(1, 1);
  expect(await pass(500)).toEqual([[1]]);
  table.add(2, 2);
  expect(await pass(500)).toEqual([[2]]);
  table.add(500, 5);
  expect(await pass(500)).toEqual([undefined, [5]]);
});

test("it looks often after something happened, and seldom while nothing does (I28)", async () => {
  await signals.start(hear);
  await pass(60_000);
  expect(table.looks).toBeLessThanOrEqual(105);
  table.looks = 0;
  signals.send();
  await pass(10);
  expect(table.looks).toBeGreaterThan(1);
});

test("what comes after a silence is heard soon, within 800 ms at most", async () => {
  await signals.start(hear);
  let no = 0;
  for (const [silenceMs, withinMs] of [
    [20, 30],
    [200, 250],
    [1_000, 800],
    [100_000, 800],
  ] as const) {
    await pass(silenceMs);
    table.add(++no, no);
    expect(await pass(withinMs)).toEqual([[no]]);
  }
});

test("a busy server is left in peace for four times as long as it took to answer", async () => {
  await signals.start(hear);
  table.slowMs = 50;
  for (let n = 0; n < 100; n++) {
    signals.send();
    await pass(10);
  }
  expect(table.looks).toBeLessThanOrEqual(4);
  table.slowMs = 0;
  await pass(250);
  table.looks = 0;
  signals.send();
  await pass(10);
  expect(table.looks).toBeGreaterThan(1);
});

test("old pulses are forgotten, the newest thousand are kept", async () => {
  for (let no = 1; no <= 1_100; no++) table.add(no, 1);
  await signals.start(hear);
  const chance = vi.spyOn(Math, "random").mockReturnValue(0);
  signals.send();
  chance.mockRestore();
  await pass(0);
  expect(table.pulses.map(({ no }) => no).slice(0, 1)).toEqual([100]);
});

test("a server that is away loses nothing of what was said", async () => {
  await signals.start(hear);
  table.isAway = true;
  await pass(2_000);
  table.add(1, 1);
  table.isAway = false;
  expect(await pass(800)).toEqual([[1]]);
});

test("it stops, and starts again from then on", async () => {
  await signals.start(hear);
  for (let round = 1; round < 4; round++) {
    await signals.stop();
    table.add(2 * round, 1);
    expect(await pass(1_000)).toEqual([]);
    table.looks = 0;
    await signals.start(hear);
    table.add(2 * round + 1, round);
    expect(await pass(500)).toEqual([[round]]);
  }
});
