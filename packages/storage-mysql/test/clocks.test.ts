import { mysql } from "@perdure/storage-mysql";
import { expect, onTestFinished, test } from "vitest";
import { child } from "../../storage-sql/test/child.ts";
import { expectTimeToCoverMessages } from "../../storage-sql/test/clock-set-back.ts";
import { nameOf, newDatabase, query } from "./scratch.ts";

interface Answer {
  readonly createdAt: number;
  readonly now: number;
  readonly leases: readonly number[];
}

test("clients whose clocks are ten minutes off change nothing: the server's clock counts (I24)", async () => {
  const url = await newDatabase();
  const storage = mysql(url);
  onTestFinished(() => storage.close());
  await storage.setup();
  const before = await storage.now();
  const skewed = new URL("children/skewed.ts", import.meta.url);
  const answers = [];
  for (const skewMs of [600_000, -600_000]) answers.push((await child(skewed, [url, String(skewMs)])) as Answer);
  const after = await storage.now();
  for (const { createdAt, now, leases } of answers) {
    for (const at of [createdAt, now]) {
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThanOrEqual(after);
    }
    expect(leases).toHaveLength(1);
    expect(leases[0]).toBeGreaterThanOrEqual(before + 60_000);
    expect(leases[0]).toBeLessThanOrEqual(after + 60_000);
  }
});

test("no message is later than the answer that brings it, also when the server's clock was set back (I18, I24)", async () => {
  const url = await newDatabase();
  const table = `${nameOf(url)}.clock`;
  await query(`create table ${table} (at bigint not null) select 0 as at`);
  const [storage, other] = [0, 1].map(() => mysql({ url, clock: `(select at from ${table})` }));
  onTestFinished(async () => void (await Promise.all([storage!.close(), other!.close()])));
  await expectTimeToCoverMessages(storage!, other!, async (at) => {
    await query(`update ${table} set at = ${at}`);
  });
});
