import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { gate } from "../../test/intercepted.ts";
import { openStorage, newRun } from "../../test/port.ts";
import { virtualClock } from "../memory.ts";
import { Life } from "./life.ts";
import { mortalRuntime } from "./mortal-runtime.ts";
import { mortalStorage, type Write } from "./mortal-storage.ts";
import { virtualRuntime } from "./virtual-runtime.ts";

/** Whether it settles before long. */
async function settles(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => {
    settled = true;
  };
  promise.then(settle, settle);
  await turn();
  await turn();
  return settled;
}

describe("Life.go", () => {
  it("settles as the call does, while it lasts", async () => {
    const life = new Life();
    expect(await life.go(() => 1)).toBe(1);
    await expect(life.go(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await settles(life.over)).toBe(false);
  });

  it("makes no call once it is over, and settles none that was under way", async () => {
    const life = new Life();
    const answer = gate();
    const fails = life.go(() => answer.passed.then(() => Promise.reject(new Error("no"))));
    const answers = life.go(() => answer.passed);
    life.end();
    answer.open();
    expect(await settles(answers)).toBe(false);
    expect(await settles(fails)).toBe(false);
    let called = false;
    expect(await settles(life.go(() => (called = true)))).toBe(false);
    expect(called).toBe(false);
    expect(await settles(life.over)).toBe(true);
  });
});

describe("mortalRuntime", () => {
  it("calls off all timers, and goes on with nothing", async () => {
    const clock = virtualClock();
    const outer = virtualRuntime(clock, "test");
    const life = new Life();
    const runtime = mortalRuntime(outer, life);
    const fired: string[] = [];
    runtime.after(10, () => fired.push("first"));
    runtime.after(10, () => fired.push("cancelled"))();
    clock.advance(10);
    runtime.after(10, () => fired.push("second"));
    runtime.defer(() => fired.push("deferred"));
    const settled = runtime.settle();
    life.end();
    runtime.after(10, () => fired.push("third"));
    expect(outer.nextDueAt()).toBeNull();
    clock.advance(100);
    expect(await settles(settled)).toBe(false);
    expect(fired).toEqual(["first"]);
  });
});

describe("mortalStorage", () => {
  it("shows its writes, ends with one if told so, and writes nothing later", async () => {
    const { storage } = openStorage();
    const life = new Life();
    const seen: (readonly [string, Write["verb"], number])[] = [];
    const mortal = mortalStorage(storage, life, {
      before: ({ verb, elements }) => void seen.push(["before", verb, elements.length]),
      after: ({ verb }, answers) => {
        seen.push(["after", verb, answers.length]);
        if (seen.length === 4) life.end();
      },
    });
    await mortal.createRuns([newRun("a")]);
    await mortal.getRun("a");
    expect(await settles(mortal.createRuns([newRun("b"), newRun("c")]))).toBe(false);
    expect(await settles(mortal.createRuns([newRun("d")]))).toBe(false);
    expect(seen).toEqual([
      ["before", "createRuns", 1],
      ["after", "createRuns", 1],
      ["before", "createRuns", 2],
      ["after", "createRuns", 2],
    ]);
    expect(await Promise.all(["b", "d"].map(async (runId) => (await storage.getRun(runId))?.runId))).toEqual([
      "b",
      undefined,
    ]);
  });

  it("hears no hints any more, and leaves no subscription behind (I28)", async () => {
    const { storage } = openStorage();
    let closed = 0;
    const subscribe = storage.subscribe!.bind(storage);
    storage.subscribe = async (onWake) => {
      const subscription = await subscribe(onWake);
      const close = async (): Promise<void> => {
        closed++;
      };
      return { ...subscription, close };
    };
    const life = new Life();
    const hints: string[] = [];
    const mortal = mortalStorage(storage, life, { before() {}, after() {} });
    const subscription = await mortal.subscribe!((topic) => hints.push(topic.of));
    subscription.add({ of: "queue", queue: "default" });
    await storage.createRuns([newRun("a")]);
    await turn();
    expect(hints).toEqual(["queue"]);
    life.end();
    await storage.createRuns([newRun("b")]);
    await turn();
    expect([hints, closed]).toEqual([["queue"], 1]);
  });
});
