import { type AnyWorkflow, createWorker } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { other } from "../deploys/none.ts";
import * as v1 from "../deploys/v1.ts";
import * as v2 from "../deploys/v2.ts";
import * as v3 from "../deploys/v3.ts";
import * as without from "../deploys/without.ts";

// A worker with one version of the code. Tells its warnings; ends when its parent has gone or lets it go.
const [path, version] = process.argv.slice(2);
const versions: Readonly<Record<string, readonly AnyWorkflow[]>> = {
  v1: [v1.order, v1.parcel],
  v2: [v2.order, v2.parcel],
  v3: [v3.order, v3.parcel],
  without: [v2.order, without.parcel],
  none: [other],
};
const storage = sqlite(path!);
const tell = (level: string) => (message: string) => void process.send?.({ level, message });
const logger = { debug() {}, info() {}, warn: tell("warn"), error: tell("error") };
const worker = createWorker({ storage, workflows: versions[version!]!, logger, lease: "2s" });
process.once("disconnect", () => void worker.stop());
await worker.run();
await storage.close();
