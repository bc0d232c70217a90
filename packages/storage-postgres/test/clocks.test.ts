import { postgres } from "@perdure/storage-postgres";
import { expect, onTestFinished, test } from "vitest";
import { child } from "../../storage-sql/test/child.ts";
import { expectTimeToCoverMessages } from "../../storage-sql/test/clock-set-back.ts";
import { newSchema, query, url } from "./scratch.ts";

const MINUTES = 60_000;

test(
  "clients whose clocks are ten minutes off change nothing: only the server's counts (I10, I24)",
  { timeout: 60_000 },
  async () => {
    const schema = newSchema();
    const skewed = new URL("children/skewed.ts", import.meta.url);
    for (const offset of [-10 * MINUTES, 10 * MINUTES]) {
      const told = (await child(skewed, [url, schema, String(offset)])) as Record<string, number | boolean>;
      expect(told).toMatchObject({ lease: 60_000, robbed: 0, nextReadyAt: true });
      for (const instant of ["now", "createdAt"]) expect(Math.abs(told[instant] as number)).toBeLessThan(MINUTES);
      expect(told["slept"]).toBeGreaterThanOrEqual(200);
      expect(told["slept"]).toBeLessThan(10_000);
      expect(told["took"]).toBeGreaterThanOrEqual(200);
      expect(told["took"]).toBeLessThan(15_000);
    }
  },
);

test("no message is later than the answer that brings it, also when the server's clock was set back (I18, I24)", async () => {
  const place = newSchema();
  await query(`create schema ${place}; create table ${place}.clock as select 0::bigint as at`);
  const schema = newSchema();
  const [storage, other] = [0, 1].map(() => postgres({ url, schema, clock: `(select at from ${place}.clock)` }));
  onTestFinished(async () => void (await Promise.all([storage!.close(), other!.close()])));
  await expectTimeToCoverMessages(storage!, other!, async (at) => {
    await query(`update ${place}.clock set at = ${at}`);
  });
});
