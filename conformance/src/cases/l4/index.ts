import type { ConformanceCase } from "../../case.ts";
import { blackhole } from "./blackhole.ts";
import { connectionCuts } from "./connection-cuts.ts";
import { cutWorkers } from "./cut-workers.ts";
import { failAtN } from "./fail-at-n.ts";
import { forgottenCaches } from "./forgotten-caches.ts";
import { diskFull } from "./disk-full.ts";
import { killAlone } from "./kill-alone.ts";
import { killRandom } from "./kill-random.ts";
import { reopen } from "./reopen.ts";
import { epochsAfterLoss } from "./epochs-after-loss.ts";
import { secondProcess } from "./second-process.ts";
import { serverForgets } from "./server-forgets.ts";
import { serverKilled } from "./server-killed.ts";
import { clockSkew } from "./clock-skew.ts";
import { zombie } from "./zombie.ts";

/** Recovery: whatever dies, whenever it dies, what was acknowledged stands and what was begun ends. */
export const L4: readonly ConformanceCase[] = [
  failAtN,
  connectionCuts,
  cutWorkers,
  forgottenCaches,
  reopen,
  zombie,
  blackhole,
  clockSkew,
  diskFull,
  serverKilled,
  killRandom,
  secondProcess,
  killAlone,
  epochsAfterLoss,
  serverForgets,
];
