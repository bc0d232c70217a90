// How long a store of many finished runs takes to be opened, and to be compacted: `npm run measure -w @perdure/storage-file`.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compactFolder, file } from "../src/index.ts";
import { anyTask, lastTurn, newRun, turn } from "./scene.ts";

const RUNS = Number(process.argv[2] ?? 100_000);
const BATCH = 1_000;

const folder = mkdtempSync(join(tmpdir(), "perdure-measure-"));
try {
  await fill();
  await open("journal");
  await timed("compaction", () => compactFolder(folder));
  await open("snapshot");
} finally {
  rmSync(folder, { recursive: true });
}

/** Runs of six events each, as five quick activities leave them. */
async function fill(): Promise<void> {
  const storage = file({ path: folder, compactAbove: Number.MAX_SAFE_INTEGER });
  await storage.setup();
  for (let first = 0; first < RUNS; first += BATCH) {
    await storage.createRuns(Array.from({ length: BATCH }, (_, at) => newRun(`run-${first + at}`)));
    const { tasks } = await storage.claimTasks(anyTask(BATCH));
    for (let seq = 1; seq < 5; seq++) await storage.commitTasks(tasks.map(({ claim }) => turn(claim, seq)));
    await storage.commitTasks(tasks.map(({ claim }) => lastTurn(claim, 5)));
  }
  await storage.close();
}

async function open(from: string): Promise<void> {
  const storage = file(folder);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  await timed(`opening a ${from} of ${RUNS} runs, ${sizeOf(folder)} MB`, () => storage.setup());
  globalThis.gc?.();
  console.log(`  memory: ${Math.round((process.memoryUsage().heapUsed - before) / 1e6)} MB`);
  await storage.close();
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const began = performance.now();
  await work();
  console.log(`${what}: ${Math.round(performance.now() - began)} ms`);
}

function sizeOf(path: string): number {
  return Math.round(readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0) / 1e6);
}
