import { describeStorageBackend } from "@perdure/conformance/vitest";
import cluster from "../../../conformance/backends/redis-cluster.ts";

describeStorageBackend(cluster, { kills: 40 });
