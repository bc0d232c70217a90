import { isPerdureError, type StorageBackend } from "@perdure/core/storage";

/** Sets a store up, in a child process, and tells how that ended. */
export async function setUp(storage: StorageBackend): Promise<void> {
  let outcome: unknown;
  try {
    await storage.setup();
    outcome = await storage.now();
  } catch (error) {
    outcome = isPerdureError(error) ? `${error.code}: ${error.message}` : String(error);
  }
  await storage.close();
  process.send!(outcome);
  process.disconnect();
}
