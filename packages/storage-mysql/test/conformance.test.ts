import { describeStorageBackend } from "@perdure/conformance/vitest";
import mysql from "../../../conformance/backends/mysql.ts";

describeStorageBackend(mysql, { levels: ["L1", "L2", "L3", "L4"], kills: 40 });
