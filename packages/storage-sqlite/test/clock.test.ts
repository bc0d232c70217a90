import { join } from "node:path";
import { sqlite } from "@perdure/storage-sqlite";
import { describe, expect, test } from "vitest";
import { StoreClock } from "../src/clock.ts";
import { scratchDirectory } from "./scratch.ts";
import { anything, hold, newRun } from "../../storage-sql/test/requests.ts";

const directory = scratchDirectory();
const NOON = Date.UTC(2026, 0, 1, 12);

/** A wall clock that a test sets. */
function wallAt(start: number) {
  const wall = { time: start, now: () => wall.time };
  return wall;
}

describe("the clock of a store (I24)", () => {
  test("follows the wall clock forwards", () => {
    const wall = wallAt(NOON);
    const clock = new StoreClock(wall);
    expect(clock.read(0)).toBe(NOON);
    wall.time += 0.7;
    expect(clock.read(0)).toBe(NOON);
    wall.time += 5000;
    expect(clock.read(0)).toBe(NOON + 5000);
  });

  test("does not follow it back, and goes on from where it was", () => {
    const wall = wallAt(NOON);
    const clock = new StoreClock(wall);
    clock.read(0);
    wall.time -= 60_000;
    expect(clock.read(0)).toBe(NOON);
    wall.time += 10;
    expect(clock.read(0)).toBe(NOON + 10);
    wall.time += 120_000;
    expect(clock.read(0)).toBe(NOON + 120_010);
  });

  test("starts from what a write has stored, and advances from there", () => {
    const wall = wallAt(NOON);
    const clock = new StoreClock(wall);
    expect(clock.read(NOON + 600_000)).toBe(NOON + 600_000);
    wall.time += 250;
    expect(clock.read(0)).toBe(NOON + 600_250);
  });
});

describe("a store that several clocks read", () => {
  test("never goes back, whoever is asked, also after a restart", async () => {
    const path = join(directory, "skewed.db");
    const walls = [wallAt(NOON), wallAt(NOON + 600_000), wallAt(NOON - 600_000)];
    let last = 0;
    for (const round of [1, 2]) {
      const clients = walls.map((clock) => sqlite({ path, clock }));
      for (const index of [0, 1, 2, 0, 2, 1, 0]) {
        const now = await clients[index]!.now();
        expect(now, `round ${round}, client ${index}`).toBeGreaterThanOrEqual(last);
        last = now;
        walls[index]!.time += 5;
      }
      await Promise.all(clients.map((client) => client.close()));
    }
    expect(last).toBeLessThan(NOON + 600_100);
  });

  test("does not end the lease of a worker whose clock is ahead (I8)", async () => {
    const path = join(directory, "ahead.db");
    const [ahead, behind] = [wallAt(NOON + 600_000), wallAt(NOON)];
    const [one, other] = [sqlite({ path, clock: ahead }), sqlite({ path, clock: behind })];
    await other.createRuns([newRun("run")]);
    const { tasks, now } = await one.claimTasks(anything({ leaseMs: 1000 }));
    expect(now).toBe(NOON + 600_000);
    const rival = anything({ workerInstance: "rival" });
    expect(await other.claimTasks(rival)).toMatchObject({ tasks: [], nextReadyAt: now + 1000 });
    behind.time += 999;
    expect((await other.claimTasks(rival)).tasks).toEqual([]);
    behind.time += 1;
    expect((await other.claimTasks(rival)).tasks).toHaveLength(1);
    expect(await one.commitTasks([hold(tasks[0]!.claim, 1)])).toEqual([{ status: "lease-lost" }]);
    await Promise.all([one.close(), other.close()]);
  });
});
