// npm run demo: a durable order survives the death of its worker. Everything happens in a temporary folder.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demo } from "./demo.ts";
import type { WorkerProcess } from "./worker-process.ts";

const LIMIT_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), "perdure-demo-"));
const workers: WorkerProcess[] = [];

// However this process ends, it leaves neither a worker nor a file behind.
process.once("exit", () => {
  for (const worker of workers) worker.killNow();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
process.once("SIGHUP", () => process.exit(129));
process.stdout.on("error", () => process.exit(1)); // The reader of a pipe went away.

function fail(sentence: string): never {
  console.error(`demo: failed — ${sentence}`);
  process.exit(1);
}

// Not a reason to stay alive: if something else is, the demo has failed too.
setTimeout(() => fail(`It was not over after ${LIMIT_MS / 1_000} seconds.`), LIMIT_MS).unref();

try {
  console.log(await demo(folder, (worker) => workers.push(worker)));
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
