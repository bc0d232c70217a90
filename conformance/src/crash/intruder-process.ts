import { isPerdureError } from "@perdure/core/storage";
import { openSubject, readOrder } from "./child-process.ts";
import type { IntruderOrder } from "./order.ts";

// Opens the store, writes into it, and stays; or says what it was told, and goes.
const order = readOrder() as IntruderOrder;

function tell(error: unknown): void {
  const code = isPerdureError(error) ? error.code : null;
  process.stderr.write(`${JSON.stringify({ code, message: String(error) })}\n`);
}

try {
  const storage = await openSubject(order);
  await storage.setup().catch(tell);
  await storage.createRuns([order.run]);
  process.stderr.write(`${JSON.stringify({ code: "opened" })}\n`);
  setInterval(() => {}, 1_000);
} catch (error) {
  tell(error);
  process.exit(0);
}
