import { describeStorageBackend } from "@perdure/conformance/vitest";
import sqlite from "../../../conformance/backends/sqlite.ts";

describeStorageBackend(sqlite);
