import { describeStorageBackend } from "@perdure/conformance/vitest";
import cosmos from "../../../conformance/backends/cosmos.ts";

describeStorageBackend(cosmos, { kills: 40 });
