import type { ConformanceCase } from "../../case.ts";
import { connectionCuts } from "./connection-cuts.ts";
import { cutWorkers } from "./cut-workers.ts";
import { failAtN } from "./fail-at-n.ts";
import { killRandom } from "./kill-random.ts";
import { reopen } from "./reopen.ts";
import { zombie } from "./zombie.ts";

/** Recovery: whatever dies, whenever it dies, what was acknowledged stands and what was begun ends. */
export const L4: readonly ConformanceCase[] = [failAtN, connectionCuts, cutWorkers, reopen, zombie, killRandom];
