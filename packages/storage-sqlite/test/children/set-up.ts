import { isPerdureError } from "@perdure/core/storage";
import { sqlite } from "@perdure/storage-sqlite";

// Sets a store up and tells how that ended.
const storage = sqlite(process.argv[2]!);
let outcome: unknown;
try {
  await storage.setup();
  outcome = await storage.now();
} catch (error) {
  outcome = isPerdureError(error) ? error.code : String(error);
}
await storage.close();
process.send!(outcome);
process.disconnect();
