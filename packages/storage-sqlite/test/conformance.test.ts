import { describeStorageBackend } from "@perdure/conformance/vitest";
import sqlite from "../../../conformance/backends/sqlite.ts";

describeStorageBackend(sqlite, { levels: ["L1", "L2", "L3", "L4"] });
