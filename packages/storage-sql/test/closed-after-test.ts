import type { StorageBackend } from "@perdure/core/storage";
import { onTestFinished } from "vitest";

/** A storage that is closed after the test. */
export function closedAfterTest(storage: StorageBackend): StorageBackend {
  onTestFinished(() => storage.close());
  return storage;
}
