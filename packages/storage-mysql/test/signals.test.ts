import { setTimeout as sleep } from "node:timers/promises";
import { mysql } from "@perdure/storage-mysql";
import { expect, onTestFinished, test, vi } from "vitest";
import { closedAfterTest } from "../../storage-sql/test/closed-after-test.ts";
import { describeHints, listen, main } from "../../storage-sql/test/hints.ts";
import { newRun } from "../../storage-sql/test/requests.ts";
import { killConnections, nameOf, newDatabase, query } from "./scratch.ts";

describeHints(async () => {
  const url = await newDatabase();
  return () => mysql(url);
});

test("hints come also after an outage", async () => {
  const url = await newDatabase();
  const [one, other] = [closedAfterTest(mysql(url)), closedAfterTest(mysql(url))];
  await other.setup();
  const { heard } = await listen(one);
  for (let n = 0; n < 3; n++) {
    await killConnections(url);
    await sleep(20);
    await other.createRuns([newRun(`run-${n}`)]);
    await expect.poll(() => heard.splice(0), { interval: 5 }).toEqual([main]);
  }
});

test("old hints are forgotten", async () => {
  const url = await newDatabase();
  const storage = closedAfterTest(mysql(url));
  await storage.setup();
  await query(
    `insert into ${nameOf(url)}.perdure_pulse (no, at, topics) values ${Array.from({ length: 3_000 }, (_, at) => `(${at + 1}, 0, '')`).join()}`,
  );
  const count = async (): Promise<number> =>
    (await query<{ count: number }>(`select count(*) as count from ${nameOf(url)}.perdure_pulse`))[0]!.count;
  // One of many writes does it, by chance.
  const random = vi.spyOn(Math, "random").mockReturnValue(0);
  onTestFinished(() => random.mockRestore());
  await storage.createRuns([newRun("run")]);
  await expect.poll(count, { interval: 5 }).toBeLessThan(1_100);
});
