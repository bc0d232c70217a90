import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { file } from "@perdure/storage-file";
import { fileFloor } from "../floor/file.ts";
import type { Backend } from "./backend.ts";

/** A folder in the one for temporary files: TMPDIR names another disk. */
export const fileBackend: Backend = {
  name: "file",
  processes: "many",
  create: async () => join(await mkdtemp(join(tmpdir(), "perdure-bench-")), "store"),
  open: (place) => file(place),
  remove: (place) => rm(dirname(place), { recursive: true, force: true }),
  countStatements: null,
  floor: fileFloor,
  describeServer: null,
  settle: null,
};
