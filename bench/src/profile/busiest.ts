import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The parts of a .cpuprofile that count here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples?: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas?: readonly number[];
}

/** A function, and the time in which it was on top of the stack. */
export interface SelfTime {
  readonly name: string;
  /** `packages/core/src/engine/execution.ts:42`; empty for what is not in a file. */
  readonly where: string;
  readonly ms: number;
  /** Of the time that was not idle. */
  readonly percent: number;
}

/** The repository's root. */
const root = resolve(import.meta.dirname, "../../..");

/** The functions of a profile that kept the processor busiest. */
export function busiest({ nodes, samples = [], timeDeltas = [] }: CpuProfile, count: number): readonly SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, { name: string; where: string; us: number }>();
  let busyUs = 0;
  samples.forEach((id, at) => {
    const { functionName, url, lineNumber } = frames.get(id)!;
    // Idleness, and the profiler itself, are nobody's work.
    if (functionName === "(idle)" || url === "node:inspector") return;
    const us = timeDeltas[at] ?? 0;
    busyUs += us;
    const where = url === "" ? "" : `${shortUrl(url)}:${lineNumber + 1}`;
    const key = `${functionName} ${where}`;
    const time = times.get(key);
    if (time === undefined) times.set(key, { name: functionName === "" ? "(anonymous)" : functionName, where, us });
    else time.us += us;
  });
  return [...times.values()]
    .toSorted((a, b) => b.us - a.us)
    .slice(0, count)
    .map(({ name, where, us }) => ({ name, where, ms: us / 1000, percent: (us / busyUs) * 100 }));
}

function shortUrl(url: string): string {
  return url.startsWith("file:") ? relative(root, fileURLToPath(url)) : url;
}
