import type { Backend } from "./backend.ts";
import { memoryBackend } from "./memory.ts";
import { sqliteBackend } from "./sqlite.ts";

/** Every backend that can be measured. */
export const backends: readonly Backend[] = [memoryBackend, sqliteBackend];
