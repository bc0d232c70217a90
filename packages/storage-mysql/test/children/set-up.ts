import { isPerdureError } from "@perdure/core/storage";
import { mysql } from "@perdure/storage-mysql";

// Sets a store up and tells how that ended.
const [url] = process.argv.slice(2);
const storage = mysql(url!);
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
