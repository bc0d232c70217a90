import type { Backend } from "./backend.ts";
import { backendNames, loadBackend } from "./load.ts";

/** Every backend that can be measured. */
export const backends: readonly Backend[] = await Promise.all(backendNames.map(loadBackend));
