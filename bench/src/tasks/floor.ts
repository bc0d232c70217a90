import type { FloorLoad } from "../floor/floor-load.ts";
import type { Site } from "../station/site.ts";
import { stopwatch, type Use } from "./usage.ts";

/** Does W1 without engine and port; answers what that took. */
export async function floor({ backend, place }: Site, load: FloorLoad): Promise<Use> {
  const start = await stopwatch(backend);
  let stop = start();
  await backend.floor!(place, load, () => {
    stop = start();
  });
  return stop();
}
