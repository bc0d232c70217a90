import { describeStorageBackend } from "@perdure/conformance/vitest";
import file from "../../../conformance/backends/file.ts";

describeStorageBackend(file);
