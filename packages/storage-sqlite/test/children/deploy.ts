import { type AnyWorkflow, createWorker } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";

// A worker with one version of the code. Tells its warnings; ends when its parent has gone or lets it go.
const [path, version] = process.argv.slice(2);
const code = (await import(`../deploys/${version!}.ts`)) as Record<string, { readonly kind: string }>;
const workflows = Object.values(code).filter(({ kind }) => kind === "workflow") as unknown as AnyWorkflow[];
const storage = sqlite(path!);
const tell = (level: string) => (message: string) => void process.send?.({ level, message });
const logger = { debug() {}, info() {}, warn: tell("warn"), error: tell("error") };
const worker = createWorker({ storage, workflows, logger, lease: "2s" });
process.once("disconnect", () => void worker.stop());
await worker.run();
await storage.close();
