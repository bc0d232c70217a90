import { spawnSync } from "node:child_process";
import { platform } from "node:os";
import { describe, expect, it } from "vitest";
import { familyCpuMs, readProcess } from "../src/server/processes.ts";

describe.runIf(platform() === "linux")("processes of this machine", () => {
  it("have a name, a parent and the time that they have used", () => {
    const self = readProcess(process.pid)!;
    expect(self.parent).toBe(process.ppid);
    expect(self.name).not.toBe("");
    // By the tick that the kernel counts in.
    const { user, system } = process.cpuUsage();
    expect(self.ms / ((user + system) / 1000)).toBeCloseTo(1, 0);
  });

  it("have used what their children did, also those that have ended", () => {
    const before = familyCpuMs(process.pid);
    const own = process.cpuUsage();
    const busy = "const from = process.cpuUsage(); while (process.cpuUsage(from).user < 300_000);";
    spawnSync(process.execPath, ["-e", busy]);
    const { user, system } = process.cpuUsage(own);
    expect(familyCpuMs(process.pid) - before - (user + system) / 1000).toBeGreaterThan(250);
  });

  it("that are not there are none", () => {
    expect(readProcess(2 ** 30)).toBeUndefined();
  });
});
