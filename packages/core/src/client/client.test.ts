import { describe, expect, it } from "vitest";
import { environment } from "../../test/environment.ts";
import { signal } from "../define/signal.ts";
import { workflow } from "../define/workflow.ts";
import { memory } from "../memory.ts";
import { createClient } from "./client.ts";

const go = signal<string>("go");
const wait = workflow({ name: "wait" }, (ctx) => ctx.waitFor(go));

describe("client.purge", () => {
  it("deletes closed runs, and their ids are free again (I26)", async () => {
    const done = workflow({ name: "done" }, async () => 1);
    const env = environment({ workflows: [done, wait] });
    for (let n = 0; n < 3; n++) await env.client.start(done, undefined, { id: `done-${n}` });
    const open = await env.client.start(wait, undefined);
    await env.runUntilIdle();
    expect(await env.client.purge({ closedBefore: new Date(env.clock.now() + 1) })).toBe(0);
    env.clock.advance(2 * 3_600_000);
    expect(await env.client.purge({ closedBefore: new Date(env.clock.now()) })).toBe(3);
    expect((await env.client.list()).runs.map(({ runId }) => runId)).toEqual([open.runId]);
    const again = await env.client.start(done, undefined, { id: "done-1" });
    await env.runUntilIdle();
    expect(await again.result()).toBe(1);
    expect((await env.client.stats()).runs).toEqual({ open: 1, completed: 1, failed: 0, cancelled: 0 });
  });
});

describe("a client", () => {
  it("needs no worker, and leaves the storage to whoever made it", async () => {
    const storage = memory();
    const client = createClient({ storage });
    const run = await client.start(wait, undefined);
    expect(await run.status()).toBe("pending");
    await run.cancel();
    await client.close();
    await client.close();
    expect(await storage.getRun(run.runId)).toBeDefined();
  });

  it("passes on what the storage says", async () => {
    const storage = memory();
    const client = createClient({ storage });
    await storage.close();
    await expect(client.start(wait, undefined)).rejects.toMatchObject({ code: "misconfigured" });
    await expect(client.list()).rejects.toMatchObject({ code: "misconfigured" });
    await expect(client.handle("x").status()).rejects.toMatchObject({ code: "misconfigured" });
  });
});
