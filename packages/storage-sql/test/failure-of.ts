import { type StorageBackend, StorageError } from "@perdure/core/storage";
import { expect } from "vitest";

/** Sets a storage up, which must fail, and closes it. */
export async function failureOf(storage: StorageBackend): Promise<StorageError> {
  const failure = await storage.setup().catch((error: unknown) => error);
  await storage.close();
  expect(failure).toBeInstanceOf(StorageError);
  return failure as StorageError;
}
