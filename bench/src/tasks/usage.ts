import { readFileSync } from "node:fs";
import type { Backend } from "../backends/backend.ts";
import { familyCpuMs } from "../server/processes.ts";

/** What something took. */
export interface Use {
  readonly ms: number;
  /** Processor time of this process. */
  readonly cpuMs: number;
  /** Processor time of the server that the store is in, whoever it worked for; `null` if there is none that can be seen from here. */
  readonly serverCpuMs: number | null;
}

/** Answers how to begin measuring, which answers how to end it. */
export async function stopwatch({ describeServer }: Pick<Backend, "describeServer">): Promise<() => () => Use> {
  const { pid = null } = (await describeServer?.()) ?? {};
  return () => {
    const serverCpu = pid === null ? null : familyCpuMs(pid);
    const cpu = process.cpuUsage();
    const from = performance.now();
    return () => {
      const ms = performance.now() - from;
      const cpuMs = cpuMsSince(cpu);
      return { ms, cpuMs, serverCpuMs: pid === null ? null : familyCpuMs(pid) - serverCpu! };
    };
  };
}

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
function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
