import { createClient } from "@perdure/core";
import { expect, it } from "vitest";
import { memoryBackend } from "../src/backends/memory.ts";
import { Site } from "../src/station/site.ts";
import { check } from "../src/tasks/check.ts";
import { enqueue } from "../src/tasks/enqueue.ts";
import { fill } from "../src/tasks/fill.ts";
import { list } from "../src/tasks/list.ts";
import { work } from "../src/tasks/work.ts";

it("a store is filled with runs that look like those of W1, and nobody touches them again", async () => {
  const site = new Site(memoryBackend, "");
  const filling = { finished: 1_200, parked: 300 };
  await fill(site, filling);
  const { runIds } = await enqueue(site, { runs: 1 });
  await work(site, { concurrency: 1, runs: 1, profile: null });

  await check(site, { runIds, events: 7, filling });
  const client = createClient({ storage: site.storage });
  const [filled, real] = await Promise.all(
    ["fill-0", runIds[0]!].map(async (runId) => (await client.handle(runId).history()).map(({ type }) => type)),
  );
  expect(filled).toEqual(real);

  await expect(check(site, { runIds, events: 7 })).rejects.toThrow("There should be 1 completed and 0 open runs");
  await list(site, { runs: 1_501 });
  await expect(list(site, { runs: 1_500 })).rejects.toThrow("Of 1500 runs the list has 1501");
  await site.close();
});
