import type { FloorLoad } from "../floor/floor-load.ts";
import type { Site } from "../station/site.ts";

/** Does W1 without engine and port; answers the milliseconds that it took. */
export async function floor({ backend, place }: Site, load: FloorLoad): Promise<number> {
  return backend.floor!(place, load);
}
