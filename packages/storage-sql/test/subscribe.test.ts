import { setImmediate } from "node:timers/promises";
import { CONTRACT_VERSION, type StorageInfo, type Topic } from "@perdure/core/storage";
import { type Signals, SqlBackend, type SqlDialect, type SqlDriver, type TopicCode } from "@perdure/storage-sql";
import { beforeEach, expect, test } from "vitest";
import { topicCode } from "../src/topics.ts";

const main: Topic = { of: "queue", queue: "main" };

/** Hints whose way is slow: what starts and what stops takes a turn of the event loop. */
class SlowSignals implements Signals {
  readonly log: string[] = [];
  heard: ((codes: Iterable<TopicCode> | undefined) => void)[] = [];
  failure: Error | undefined;

  async start(heard: (codes: Iterable<TopicCode> | undefined) => void): Promise<void> {
    this.log.push("start");
    await setImmediate();
    if (this.failure !== undefined) throw this.failure;
    this.heard.push(heard);
  }

  async stop(): Promise<void> {
    this.log.push("stop");
    this.heard.shift();
    await setImmediate();
  }

  send(): void {}
}

let signals: SlowSignals;
let backend: SqlBackend;

/** A store with a current schema, whose namespace has the number 1; nothing else is asked of it. */
beforeEach(() => {
  signals = new SlowSignals();
  const answers = [true, 1];
  const driver = { open() {}, close() {}, read: () => answers.shift() } as unknown as SqlDriver;
  const dialect = { errorOf: () => undefined } as unknown as SqlDialect;
  const info = { name: "stub", contract: CONTRACT_VERSION, limits: {} } as unknown as StorageInfo;
  backend = new SqlBackend({ info, namespace: "n", migrate: "check", patienceMs: 0, dialect, driver, signals });
});

async function listen(): Promise<{ readonly heard: Topic[]; readonly close: () => Promise<void> }> {
  const heard: Topic[] = [];
  const subscription = await backend.subscribe!((topic) => heard.push(topic));
  subscription.add(main);
  return { heard, close: () => subscription.close() };
}

test("signals start with the first who wants to hear, and everybody waits until they have", async () => {
  const [one, other] = await Promise.all([listen(), listen()]);
  expect(signals.log).toEqual(["start"]);
  expect(signals.heard).toHaveLength(1);
  signals.heard[0]!([topicCode("queue", "main")]);
  await setImmediate();
  expect([one.heard, other.heard]).toEqual([[main], [main]]);
  await one.close();
  expect(signals.log).toEqual(["start"]);
  await Promise.all([other.close(), other.close()]);
  expect(signals.log).toEqual(["start", "stop"]);
});

test("somebody comes while the last one goes: signals never start twice without a stop", async () => {
  const one = await listen();
  const [, other] = await Promise.all([one.close(), listen()]);
  expect(signals.log).toEqual(["start"]);
  const closing = other.close();
  await Promise.resolve();
  const third = await listen();
  await closing;
  expect(signals.log).toEqual(["start", "stop", "start"]);
  expect(signals.heard).toHaveLength(1);
  signals.heard[0]!(undefined);
  await setImmediate();
  expect(third.heard).toEqual([main]);
});

test("signals that did not start are started by the next who wants to hear (I11)", async () => {
  signals.failure = new Error("not now");
  await expect(listen()).rejects.toThrow("not now");
  signals.failure = undefined;
  const { heard } = await listen();
  signals.heard.at(-1)!(undefined);
  await setImmediate();
  expect(heard).toEqual([main]);
});
