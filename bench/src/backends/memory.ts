import { memory } from "@perdure/core/memory";
import type { Backend } from "./backend.ts";

/** The engine and nothing else. */
export const memoryBackend: Backend = {
  name: "memory",
  processes: "one",
  create: async () => "",
  open: () => memory(),
  remove: async () => {},
  countStatements: null,
  floor: null,
  describeServer: null,
  settle: null,
};
