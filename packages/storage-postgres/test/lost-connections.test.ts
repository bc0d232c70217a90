import { randomUUID } from "node:crypto";
import { isPerdureError } from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";
import { expect, test } from "vitest";
import { newRun } from "../../storage-sql/test/requests.ts";
import { newSchema, terminate, url } from "./scratch.ts";

test("connections that an administrator ends again and again end calls, never the process (I29)", async () => {
  const schema = newSchema();
  const storage = postgres({ url, schema, pool: { application_name: schema, max: 4 } });
  await storage.setup();
  const outcomes = { ok: 0, unavailable: 0 };
  let isOver = false;
  const busy = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      try {
        await storage.createRuns([newRun(randomUUID())]);
        outcomes.ok += 1;
      } catch (error) {
        if (!isPerdureError(error, "unavailable")) throw error;
        outcomes.unavailable += 1;
      }
    }
  });
  let ended = 0;
  while (ended < 60) ended += await terminate(schema);
  isOver = true;
  await Promise.all(busy);
  expect(outcomes.unavailable).toBeGreaterThan(0);
  expect(await storage.createRuns([newRun("after")])).toMatchObject([{ status: "created" }]);
  await storage.close();
});
