import { describeStorageBackend } from "@perdure/conformance/vitest";
import postgres from "../../../conformance/backends/postgres.ts";

describeStorageBackend(postgres, { kills: 40 });
