import memory from "../backends/memory.ts";
import { describeStorageBackend } from "../src/frameworks/vitest.ts";

describeStorageBackend(memory, { levels: ["L1", "L2", "L3", "L5"] });
