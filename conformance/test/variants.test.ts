import { createMemoryStore, memory, type MemoryStorage, type MemoryStore } from "@perdure/core/memory";
import type { Capabilities, StorageBackend } from "@perdure/core/storage";
import { describe, expect, it } from "vitest";
import virtual from "../backends/memory.ts";
import { clockedMemory } from "../mutants/clocked-memory.ts";
import { type ConformanceReport, isPass } from "../src/report.ts";
import { runConformance } from "../src/runner.ts";
import type { BackendUnderTest } from "../src/subject.ts";
import { laggingMemory } from "./lagging-memory.ts";
import locked from "./locked-sqlite.ts";
import lossy, { mutation as loss } from "./lossy-memory.ts";
import unlockedSqlite from "./unlocked-sqlite.ts";
import { caseOf } from "../backends/case-of.ts";

/** A memory backend with other declarations. */
function declaring(
  capabilities: Partial<Capabilities>,
  subject: BackendUnderTest = virtual,
  change = (backend: StorageBackend) => backend,
): BackendUnderTest {
  return {
    ...subject,
    async open(options) {
      const backend = await subject.open(options);
      const { info } = backend;
      const declared = { ...info, capabilities: { ...info.capabilities, ...capabilities } };
      return change(new Proxy(backend, { get: (target, key) => (key === "info" ? declared : bound(target, key)) }));
    },
  };
}

function bound(target: StorageBackend, key: string | symbol): unknown {
  const member: unknown = Reflect.get(target, key, target);
  return typeof member === "function" ? member.bind(target) : member;
}

const SLOW = { timeout: 60_000 };
/** Levels that everybody passes. */
const CONTRACT = { levels: ["L1", "L2", "L3"] } as const;

describe("the suite over other kinds of backends", () => {
  it(
    "waits in real time where time cannot be moved, and has workers look where there are no wake-ups",
    SLOW,
    async () => {
      const stores = new Map<string, MemoryStore>();
      const open = ({ namespace }: { readonly namespace: string }): MemoryStorage => {
        const name = caseOf(namespace);
        const store = stores.get(name) ?? createMemoryStore();
        stores.set(name, store);
        return memory({ namespace, store });
      };
      const realTime: BackendUnderTest = {
        name: "memory in real time",
        open,
        transaction: (namespace, _, run) => open({ namespace }).transaction(run),
      };
      const silent = declaring(
        { wakeups: "none" },
        realTime,
        (backend) => new Proxy(backend, { get: withoutSubscribe }),
      );
      const report = await runConformance(silent, { ...CONTRACT, jobs: 20 });
      expect(failed(report)).toEqual([]);
      const ended = report.cases.map(({ id, status }) => [id, status]);
      expect(ended).toContainEqual(["purge.default-age-is-an-hour", "not-applicable"]);
      expect(ended).toContainEqual(["claim.hint", "not-applicable"]);
      expect(ended).toContainEqual(["claim.hint-undeclared", "passed"]);
    },
  );

  it("believes nobody who declares transactions and offers none", async () => {
    const { transaction: _transaction, ...mute } = virtual;
    const report = await runConformance(mute, { grep: "tx." });
    expect(failed(report)).toContain("tx.start-commits");
    expect(report.cases.find(({ status }) => status === "failed")?.message).toContain(
      "the subject offers `transaction`",
    );
  });

  it("sees wake-ups that are not declared", async () => {
    const lying = await runConformance(declaring({ wakeups: "none" }), { grep: "claim.hint" });
    expect(failed(lying)).toEqual(["claim.hint-undeclared"]);
  });

  it("has each client go by a clock of its own, and asks that they are close", SLOW, async () => {
    expect(failed(await runConformance(clockedMemory(), { ...CONTRACT, jobs: 20 }))).toEqual([]);
    const far = declaring({ clock: { kind: "client", errorMs: 9_000 } });
    expect(isPass(await runConformance(far, { grep: "wrong-clocks" }))).toBe(false);
  });

  it("gives lists that lag behind their time, and nothing else", SLOW, async () => {
    expect(failed(await runConformance(laggingMemory(), { ...CONTRACT, jobs: 20 }))).toEqual([]);
    const reads = laggingMemory((_honest, { getRun }) => ({ getRun }));
    expect(failed(await runConformance(reads, { grep: "list.lags-alone" }))).toEqual(["list.lags-alone"]);
  });

  it("lets one process in, kills it again and again, and sees the next one go on", SLOW, async () => {
    const report = await runConformance(locked, { levels: ["L4"], kills: 30, jobs: 4 });
    expect(failed(report)).toEqual([]);
    const passed = report.cases.filter(({ status }) => status === "passed").map(({ id }) => id);
    expect(passed).toEqual(["recovery.fail-at-n", "crash.reopen", "recovery.second-process", "crash.kill-alone"]);
    const unlocked = await runConformance(unlockedSqlite, { grep: "recovery.second-process" });
    expect(failed(unlocked)).toEqual(["recovery.second-process"]);
  });

  it("takes a server's last moment away, and sees nothing torn", SLOW, async () => {
    expect(failed(await runConformance(lossy, { grep: "forgets" }))).toEqual([]);
    expect(failed(await runConformance(lossy, { grep: "epochs-after-loss" }))).toEqual([]);
  });

  it("sees that a server issues epochs twice, tears commits, or loses more than it says", SLOW, async () => {
    Object.assign(loss, { epochsTwice: true });
    expect(failed(await runConformance(lossy, { grep: "epochs-after-loss" }))).toHaveLength(1);
    Object.assign(loss, { epochsTwice: false, halves: true });
    expect(failed(await runConformance(lossy, { grep: "forgets" }))).toHaveLength(1);
    Object.assign(loss, { halves: false, losesMoreMs: 400 });
    expect(failed(await runConformance(lossy, { grep: "forgets" }))).toHaveLength(1);
    Object.assign(loss, { losesMoreMs: 0 });
  });
});

/** What keeps a report from being a pass. */
function failed(report: ConformanceReport): readonly string[] {
  const cases = report.cases.filter(({ status }) => status === "failed").map(({ id }) => id);
  expect(isPass(report)).toBe(cases.length === 0);
  return cases;
}

function withoutSubscribe(target: StorageBackend, key: string | symbol): unknown {
  return key === "subscribe" ? undefined : bound(target, key);
}
