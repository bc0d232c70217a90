import { extname } from "node:path";

type ProcessModule = "client-process" | "intruder-process" | "solo-process" | "worker-process" | "wrong-clock";

/** A module of this folder that a process of the lab runs or loads: from sources the source, else what was built of it. */
export function processModule(name: ProcessModule): URL {
  return new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
}
