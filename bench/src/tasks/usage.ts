import { readFileSync } from "node:fs";

/** The most memory that this process ever had, in MB. */
export function peakRssMb(): number {
  return peakRssKb() / 1024;
}

function peakRssKb(): number {
  try {
    // What getrusage says starts with the size of the process that forked this one.
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))![1]);
  } catch {
    return process.resourceUsage().maxRSS;
  }
}

/** Milliseconds of processor time that this process has used since a moment. */
export function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
