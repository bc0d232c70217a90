import { expect, test } from "vitest";
import { child } from "./processes.ts";
import { newSchema, url } from "./scratch.ts";

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
