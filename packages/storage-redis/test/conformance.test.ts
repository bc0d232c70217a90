import { describeStorageBackend } from "@perdure/conformance/vitest";
import redis from "../../../conformance/backends/redis.ts";

describeStorageBackend(redis, { kills: 40 });
