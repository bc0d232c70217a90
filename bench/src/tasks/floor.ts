import type { FloorLoad } from "../floor/floor-load.ts";
import type { Site } from "../station/site.ts";
import { cpuMsSince } from "./usage.ts";

/** Does W1 without engine and port; answers what that took. */
export async function floor(
  { backend, place }: Site,
  load: FloorLoad,
): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  let from = 0;
  let cpu = process.cpuUsage();
  backend.floor!(place, load, () => {
    from = performance.now();
    cpu = process.cpuUsage();
  });
  return { ms: performance.now() - from, cpuMs: cpuMsSince(cpu) };
}
