import { obey } from "./child-process.ts";
import type { ClientOrder } from "./order.ts";
import { Script, afterWrites } from "./script.ts";

const { order, storage } = await obey<ClientOrder>();
const { seed, writes } = order;
const client = afterWrites(storage, writes, () => process.kill(process.pid, "SIGKILL"));
await client.setup();
await new Script(seed).play(client);
// The script has fewer writes than that.
process.exit(0);
