import memory from "../backends/memory.ts";
import { describeStorageBackend } from "../src/vitest.ts";

describeStorageBackend(memory, { levels: ["L1", "L2", "L3"] });
