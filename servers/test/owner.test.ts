import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { skippedBackends } from "../src/index.ts";
import { query } from "./queries.ts";

const script = fileURLToPath(new URL("owner.ts", import.meta.url));

describe.runIf(!skippedBackends().includes("postgres"))("a server that nobody stops goes with its process", () => {
  it.for([
    { how: "ends well", argument: "end", signal: null, exit: [0, null] },
    { how: "fails", argument: "fail", signal: null, exit: [1, null] },
    { how: "is interrupted", argument: "wait", signal: "SIGINT", exit: [null, "SIGINT"] },
    { how: "is killed", argument: "wait", signal: "SIGKILL", exit: [null, "SIGKILL"] },
  ] as const)("that $how", async ({ argument, signal, exit }) => {
    const owner = spawn(process.execPath, [script, argument], { stdio: ["ignore", "pipe", "ignore"] });
    const exited = once(owner, "exit");
    const [line] = (await once(createInterface(owner.stdout), "line")) as [string];
    const { url, folder } = JSON.parse(line) as { url: string; folder: string };
    if (signal !== null) {
      expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
      owner.kill(signal);
    }
    expect(await exited).toEqual(exit);
    await vi.waitFor(() => expect(existsSync(folder)).toBe(false), { timeout: 20_000 });
    await expect(query(url, "select 1 as one")).rejects.toThrow("ECONNREFUSED");
  });
});
