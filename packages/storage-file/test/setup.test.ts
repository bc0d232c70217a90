import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { file } from "../src/index.ts";
import { newRun } from "./scene.ts";
import { scratchFolder } from "./scratch.ts";

const JOURNAL = "journal-000001.log";

describe("setup", () => {
  it("makes the folder, but not the one that it stands in", async () => {
    const scratch = scratchFolder();
    const storage = file(join(scratch, "store"));
    await storage.setup();
    await storage.setup();
    await storage.close();
    expect(readdirSync(join(scratch, "store")).toSorted()).toEqual([JOURNAL, "lock"]);
    await expect(file(join(scratch, "no", "store")).setup()).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining("Create that"),
    });
  });

  it("refuses what is no folder", async () => {
    const path = join(scratchFolder(), "store");
    writeFileSync(path, "text");
    await expect(file(path).setup()).rejects.toMatchObject({ code: "misconfigured" });
  });

  it("creates nothing when it only checks", async () => {
    const scratch = scratchFolder();
    const missing = file({ path: join(scratch, "store"), migrate: "check" });
    await expect(missing.setup()).rejects.toMatchObject({ code: "misconfigured" });
    const empty = file({ path: scratch, migrate: "check" });
    await expect(empty.setup()).rejects.toMatchObject({ code: "schema-version" });
    expect(readdirSync(scratch)).toEqual([]);
  });

  it("refuses files of newer code, and leaves them as they are (I25)", async () => {
    const path = scratchFolder();
    const text = '{"perdure":"journal","version":2,"no":1}';
    const content = `${crc32(text).toString(16).padStart(8, "0")} ${text}\n\nwhat newer code writes`;
    writeFileSync(join(path, JOURNAL), content);
    await expect(file(path).setup()).rejects.toMatchObject({ code: "schema-version" });
    expect(readFileSync(join(path, JOURNAL), "utf8")).toBe(content);
  });

  it("comes before every other verb, and no verb after close", async () => {
    const storage = file(join(scratchFolder(), "store"));
    await expect(storage.now()).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining("setup()"),
    });
    await storage.setup();
    await storage.close();
    await storage.close();
    await expect(storage.now()).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining("closed"),
    });
    await expect(storage.setup()).rejects.toMatchObject({ code: "misconfigured" });
  });
});

describe("ids", () => {
  it("never become names of files (I22)", async () => {
    const path = join(scratchFolder(), "store");
    const storage = file(path);
    await storage.setup();
    const ids = [
      "..",
      "../../etc/passwd",
      "/",
      "CON",
      "con",
      "a:b",
      "x".repeat(255),
      "e\u0301",
      "\u00e9",
      "lock",
      JOURNAL,
    ];
    await storage.createRuns(ids.map((runId) => ({ ...newRun(runId), incarnation: "0123456789abcdef" })));
    for (const runId of ids) expect(await storage.getRun(runId)).toMatchObject({ runId });
    await storage.close();
    expect(readdirSync(path).toSorted()).toEqual([JOURNAL, "lock"]);
  });
});

describe.runIf(process.getuid?.() === 0 && canMount())("a file system of its own", () => {
  it("that is full refuses with a typed error, and takes writes again when there is room", async () => {
    const { storage, path } = await mounted("size=64k");
    const filler = join(path, "..", "filler");
    await storage.createRuns([newRun("first")]);
    fill(filler);
    const big = newRun("big", JSON.stringify("x".repeat(20_000)));
    await expect(storage.createRuns([big])).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("disk is full"),
    });
    expect(await storage.getRun("first")).toMatchObject({ runId: "first" });
    expect(await storage.getRun("big")).toBe(undefined);
    writeFileSync(filler, "");
    expect(await storage.createRuns([big])).toMatchObject([{ status: "created" }]);
  });

  it("that is read-only says so", async () => {
    const { storage, path } = await mounted("size=64k");
    await storage.close();
    execFileSync("mount", ["-o", "remount,ro", join(path, "..")]);
    const other = file(path);
    await expect(other.setup()).rejects.toMatchObject({ code: "read-only" });
    await other.close();
  });
});

describe.runIf(process.platform !== "win32" && process.getuid?.() !== 0)("rights", () => {
  it("that are missing are told as read-only", async () => {
    const path = join(scratchFolder(), "store");
    mkdirSync(path);
    chmodSync(path, 0o555);
    await expect(file(path).setup()).rejects.toMatchObject({ code: "read-only" });
  });
});

/** A store in a file system in memory. */
async function mounted(options: string): Promise<{ storage: ReturnType<typeof file>; path: string }> {
  const place = scratchFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", place]);
  const path = join(place, "store");
  const storage = file(path);
  onTestFinished(async () => {
    await storage.close();
    execFileSync("umount", ["--lazy", place]);
  });
  await storage.setup();
  return { storage, path };
}

function fill(path: string): void {
  for (let bytes = 64 * 1024; bytes > 0; bytes >>= 1) {
    try {
      writeFileSync(path, Buffer.alloc(bytes), { flag: "a" });
    } catch {
      // As much as there is room for is written.
    }
  }
}

function canMount(): boolean {
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
