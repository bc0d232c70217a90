import { openSubject, readOrder } from "./child-process.ts";
import type { ClientOrder } from "./order.ts";
import { Script, afterWrites } from "./script.ts";

const order = readOrder() as ClientOrder;
const storage = await openSubject(order);
const { seed, writes } = order;
const client = afterWrites(storage, writes, () => process.kill(process.pid, "SIGKILL"));
await client.setup();
await new Script(seed).play(client);
// The script has fewer writes than that.
process.exit(0);
