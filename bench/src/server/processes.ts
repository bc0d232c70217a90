import { readdirSync, readFileSync } from "node:fs";

/** A process of this machine. Its times are in milliseconds of all of its threads. */
interface Process {
  readonly name: string;
  readonly parent: number;
  readonly ms: number;
  /** Of its children that have ended. */
  readonly endedMs: number;
}

/** The kernel counts processor time for others in hundredths of a second. */
const TICK_MS = 10;

/** Milliseconds of processor time that a process and its children have used, also those that have ended. */
export function familyCpuMs(pid: number): number {
  const first = readProcess(pid);
  let ms = (first?.ms ?? 0) + (first?.endedMs ?? 0);
  for (const entry of readdirSync("/proc")) {
    const one = /^\d+$/u.test(entry) ? readProcess(Number(entry)) : undefined;
    if (one?.parent === pid) ms += one.ms;
  }
  return ms;
}

/** What the kernel tells of a process; undefined if it is not there, or this is no Linux. */
export function readProcess(pid: number): Process | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name stands in parentheses, and may contain some.
    const [from, to] = [text.indexOf("("), text.lastIndexOf(")")];
    const fields = text.slice(to + 2).split(" ");
    const ticks = (at: number): number => Number(fields[at]);
    return {
      name: text.slice(from + 1, to),
      parent: ticks(1),
      ms: (ticks(11) + ticks(12)) * TICK_MS,
      endedMs: (ticks(13) + ticks(14)) * TICK_MS,
    };
  } catch {
    return undefined;
  }
}
