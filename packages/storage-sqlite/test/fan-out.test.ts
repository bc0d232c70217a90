import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient, createWorker } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { describe, expect, test } from "vitest";
import { CALLS, fan } from "./fan-out.ts";
import { scratchDirectory } from "./scratch.ts";

const directory = scratchDirectory();
const program = new URL("children/work.ts", import.meta.url);

/** A worker process that has begun to work. */
async function hire(path: string, log: string, role: "both" | "pool"): Promise<ChildProcess> {
  const child = fork(program, [path, log, role], { execArgv: ["--conditions=@perdure/source"] });
  await once(child, "message");
  return child;
}

async function dismiss(child: ChildProcess): Promise<void> {
  child.send("stop");
  await once(child, "exit");
}

/** Who executed what, from the first to the last. */
function executions(log: string): readonly { readonly n: number; readonly pid: number }[] {
  const lines = readFileSync(log, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [n, pid] = line.split(" ").map(Number);
    return { n: n!, pid: pid! };
  });
}

describe("one run's thousand activities over three worker processes", () => {
  test("every worker executes some, each activity is executed once", { timeout: 60_000 }, async () => {
    const path = join(directory, "fan-out.db");
    const log = join(directory, "fan-out.log");
    writeFileSync(log, "");
    const storage = sqlite(path);
    const client = createClient({ storage });
    await storage.setup();
    const workers = await Promise.all([1, 2, 3].map(() => hire(path, log, "both")));
    const run = await client.start(fan, { log, pool: false });
    const executedBy = await run.result();
    await Promise.all(workers.map(dismiss));
    const executed = executions(log);
    expect(executed.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(Array.from({ length: CALLS }, (_, n) => n));
    expect(new Set(executed.map(({ pid }) => pid))).toEqual(new Set(workers.map(({ pid }) => pid)));
    for (const { n, pid } of executed) expect(executedBy[n]).toBe(pid);
    await client.close();
    await storage.close();
  });

  test(
    "one is killed: others execute again what it had under way, and nothing else (I12, I13)",
    { timeout: 60_000 },
    async () => {
      const path = join(directory, "killed.db");
      const log = join(directory, "killed.log");
      writeFileSync(log, "");
      const storage = sqlite(path);
      const client = createClient({ storage });
      const holder = createWorker({ storage, workflows: [fan] });
      const working = holder.run();
      const workers = await Promise.all([1, 2, 3].map(() => hire(path, log, "pool")));
      const [victim] = workers;
      const run = await client.start(fan, { log, pool: true });
      await expect
        .poll(() => executions(log).filter(({ pid }) => pid === victim!.pid).length, { interval: 2, timeout: 20_000 })
        .toBeGreaterThan(50);
      victim!.kill("SIGKILL");
      const executedBy = await run.result();
      await Promise.all([...workers.slice(1).map(dismiss), holder.stop()]);
      await working;
      const executed = executions(log);
      const byCall = Map.groupBy(executed, ({ n }) => n);
      expect(byCall.size).toBe(CALLS);
      const repeated = [...byCall.values()].filter(({ length }) => length > 1);
      for (const [first, second, ...more] of repeated) {
        expect([first!.pid, more]).toEqual([victim!.pid, []]);
        expect(second!.pid).toBe(executedBy[second!.n]);
      }
      // In its slots, and what had ended and was not recorded yet.
      expect(repeated.length).toBeGreaterThan(0);
      expect(repeated.length).toBeLessThanOrEqual(50);
      expect((await run.history()).filter(({ type }) => type === "ACTIVITY_COMPLETED")).toHaveLength(CALLS);
      await client.close();
      await storage.close();
    },
  );
});
