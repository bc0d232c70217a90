import { mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Backend } from "../backends/backend.ts";
import { type W1, workOff } from "../workloads/w1.ts";
import { busiest, type CpuProfile } from "./busiest.ts";
import { busiestText } from "./busiest-text.ts";

const SHOWN = 25;
const folder = join(import.meta.dirname, "../../profiles");

/** Does W1 under the profiler. Answers what to print: the file, and the busiest functions. */
export async function profileW1(backend: Backend, load: W1): Promise<string> {
  const { runs, concurrency, warm } = load;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `w1-${backend.name}-c${concurrency}.cpuprofile`);
  const { done } = await workOff(backend, load, (worker) => worker.call("work", { runs, concurrency, profile: file }));
  const functions = busiest(JSON.parse(readFileSync(file, "utf8")) as CpuProfile, SHOWN);
  const title = `W1 on ${backend.name}, ${runs} runs, concurrency ${concurrency}${warm ? ", warm" : ""}, ${Math.round(done.ms)} ms`;
  return `${title}: ${relative(process.cwd(), file)}\n${busiestText(functions)}`;
}
