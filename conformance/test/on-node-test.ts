import memory from "../backends/memory.ts";
import { describeStorageBackend } from "../src/frameworks/node-test.ts";

describeStorageBackend(memory, { grep: process.env["GREP"]! });
