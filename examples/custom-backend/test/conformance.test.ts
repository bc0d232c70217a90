import { describeStorageBackend } from "@perdure/conformance/vitest";
import subject from "./subject.ts";

describeStorageBackend(subject, { kills: 40 });
