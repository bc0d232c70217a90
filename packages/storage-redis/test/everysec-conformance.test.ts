import { describeStorageBackend } from "@perdure/conformance/vitest";
import everysec from "../../../conformance/backends/redis-everysec.ts";

// What is different where a server may lose its last second. All of it: `npm run conformance -- redis-everysec`.
describeStorageBackend(everysec, { levels: ["L4"], grep: "recovery.epochs-after-loss" });
describeStorageBackend(everysec, { levels: ["L4"], grep: "crash.server-forgets" });
