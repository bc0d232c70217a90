import { findRedisCluster } from "perdure-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { Cluster } from "ioredis";
import { finishRuns } from "./load-everything.ts";
import { admin, keysOf, newPrefix, open } from "./scratch.ts";

const HOSTILE = ["}", "{}", "{a}", "a}b{c", "*", "?[a-z]", "line\nbreak", "{😀", "blank ", "%7B", "a:b", "}:{"];

describe("names with braces and the like move no key to another slot (I21, I22)", () => {
  test.each(HOSTILE)("of a namespace: %j", { timeout: 30_000 }, async (namespace) => {
    const { url } = await findRedisCluster();
    const prefix = newPrefix();
    const cluster = new Cluster([url]);
    onTestFinished(async () => {
      for (const master of cluster.nodes("master"))
        for await (const keys of master.scanStream({ match: `${prefix}*`, count: 1_000 }))
          await Promise.all((keys as string[]).map((key) => master.unlink(key)));
      cluster.disconnect();
    });
    // A script that touches a key of another slot fails.
    const results = await finishRuns(open({ nodes: [url], prefix, namespace, shards: 4 }), HOSTILE);
    expect(results).toEqual(HOSTILE.map((_, n) => `${n} done`));
  });

  test("nor do two namespaces meet", async () => {
    const prefix = newPrefix();
    const storages = HOSTILE.map((namespace) => open({ prefix, namespace }));
    await Promise.all(storages.map((storage) => finishRuns(storage, ["one"])));
    for (const storage of storages) expect((await storage.stats()).runs.completed).toBe(2);
  });
});

describe("nothing stays", () => {
  test("of purged runs, but a clock and whose it is (I26)", { timeout: 30_000 }, async () => {
    const prefix = newPrefix();
    const storage = open({ prefix, namespace: "orders" });
    await finishRuns(storage, [...HOSTILE, ...Array.from({ length: 100 }, (_, n) => `run ${n}`)]);
    for (let more = true; more;)
      ({ more } = await storage.purgeRuns({ closedBefore: Date.now() + 60_000, minAgeMs: 0, limit: 50 }));
    expect(await storage.stats()).toMatchObject({ runs: { completed: 0 }, queues: [] });
    expect(await keysOf(prefix)).toEqual([`${prefix}meta`, `${prefix}{orders:0}:clock`, `${prefix}{orders:0}:life`]);
  });

  test("of cache entries, an hour after they have expired; those that never do, stay", async () => {
    const prefix = newPrefix();
    const storage = open({ prefix, namespace: "orders" });
    const expiresAt = Date.now() + 60_000;
    const write = (entry: { readonly key: string; readonly expiresAt: number | null }) =>
      storage.writeCache([{ ...entry, value: "1", mode: "replace" }]);
    await write({ key: "soon", expiresAt });
    await write({ key: "late", expiresAt: 253_402_300_799_999 });
    await write({ key: "never", expiresAt });
    await write({ key: "never", expiresAt: null });
    const ends = ["soon", "late", "never"].map((key) => admin.pexpiretime(`${prefix}{orders:0}:c:${key}`));
    expect(await Promise.all(ends)).toEqual([expiresAt + 3_600_000, 253_402_304_399_999, -1]);
  });

  test("of what only open runs need, once a run is done", { timeout: 30_000 }, async () => {
    const prefix = newPrefix();
    await finishRuns(open({ prefix, namespace: "orders" }), ["one"]);
    const names = (await keysOf(prefix)).map((key) => key.slice(prefix.length).replace("{orders:0}:", ""));
    // Of the signals stays that they have come.
    const ofEach = ["d", "dz", "e", "r"].flatMap((name) => [`${name}:child of one`, `${name}:one`]);
    expect(names.filter((name) => !name.startsWith("x:")).toSorted()).toEqual(
      [...ofEach, "clock", "lanes", "life", "meta"].toSorted(),
    );
  });
});
