import { describe, expect, it } from "vitest";
import type { NewCacheEntry } from "../storage.ts";
import { claimOne, commit, finishRun, LEASE, openStorage, startAndClaim, workflowCommit } from "../../test/port.ts";

function entry(key: string, value: string, fields: Partial<NewCacheEntry> = {}): NewCacheEntry {
  return { key, value, expiresAt: null, mode: "first", ...fields };
}

describe("the cache", () => {
  it("keeps the first entry, unless told to replace it", async () => {
    const { storage } = openStorage();
    expect(await storage.writeCache([entry("k", "1"), entry("k", "2"), entry("K", "3")])).toEqual([
      { status: "written", entry: { key: "k", value: "1", expiresAt: null } },
      { status: "kept", entry: { key: "k", value: "1", expiresAt: null } },
      { status: "written", entry: { key: "K", value: "3", expiresAt: null } },
    ]);
    await storage.writeCache([entry("k", "4", { mode: "replace" })]);
    expect(await storage.readCache(["k", "none"])).toEqual([{ key: "k", value: "4", expiresAt: null }, undefined]);
  });

  it("does not see an entry from the moment on that it expires, and lets the next one in", async () => {
    const { storage, clock } = openStorage();
    const expiresAt = clock.now() + 10;
    await storage.writeCache([entry("k", "old", { expiresAt })]);
    clock.advance(9);
    expect(await storage.readCache(["k"])).toMatchObject([{ value: "old" }]);
    clock.advance(1);
    expect(await storage.readCache(["k"])).toEqual([undefined]);
    expect(await storage.writeCache([entry("k", "new")])).toMatchObject([
      { status: "written", entry: { value: "new" } },
    ]);
  });

  it("fences an owned entry (I6)", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await storage.writeCache([entry("k", "1", { owner: claim })]);
    clock.advance(LEASE);
    const next = await claimOne(storage);
    const write = (owner: typeof claim) => storage.writeCache([entry("k", "2", { owner, mode: "replace" })]);
    expect(await write(claim)).toEqual([{ status: "lease-lost" }]);
    expect(await storage.readCache(["k"])).toMatchObject([{ value: "1" }]);
    expect(await write(next.claim)).toMatchObject([{ status: "written" }]);
    await commit(storage, workflowCommit(next.claim));
    expect(await write(next.claim)).toEqual([{ status: "lease-lost" }]);
  });

  it("deletes owned entries with their run, and no others (I26)", async () => {
    const { storage, clock } = openStorage();
    const { claim } = await startAndClaim(storage, "r");
    await storage.writeCache([
      entry("mine", "1", { owner: claim }),
      entry("taken", "2", { owner: claim }),
      entry("free", "3"),
    ]);
    await storage.writeCache([entry("taken", "4", { mode: "replace" })]);
    await commit(storage, workflowCommit(claim, { close: { status: "completed" }, next: { do: "done" } }));
    await finishRun(storage, "other");
    await storage.purgeRuns({ closedBefore: clock.now() + 1, minAgeMs: 0, limit: 10, runIds: ["r"] });
    expect(await storage.readCache(["mine", "taken", "free"])).toMatchObject([
      undefined,
      { value: "4" },
      { value: "3" },
    ]);
  });
});
