import { describeStorageBackend } from "@perdure/conformance/vitest";
import postgres from "../../../conformance/backends/postgres.ts";

describeStorageBackend(postgres, { levels: ["L1", "L2", "L3", "L4"], kills: 40 });
