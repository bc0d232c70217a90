import { isPerdureError } from "@perdure/core/storage";
import { postgres } from "@perdure/storage-postgres";

// Sets a store up and tells how that ended.
const [url, schema] = process.argv.slice(2);
const storage = postgres({ url: url!, schema: schema! });
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
