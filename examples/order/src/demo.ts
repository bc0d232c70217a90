import { setTimeout as pause } from "node:timers/promises";
import { join } from "node:path";
import { createClient } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { readLedger } from "./ledger.ts";
import { narrate, type Clause } from "./narrate.ts";
import { approved, order } from "./order.ts";
import { Timeline } from "./timeline.ts";
import { judge } from "./verdict.ts";
import { Watch, type Histories } from "./watch.ts";
import { startWorker, type WorkerProcess } from "./worker-process.ts";

/**
 * Runs three orders, kills their worker in the middle, starts another one and waits for the end.
 * Answers the verdict's line.
 *
 * @param folder for the database and the ledger
 * @param onWorker is told of every worker process, so that none is left behind
 * @throws Error with one sentence that says what went wrong
 */
export async function demo(folder: string, onWorker: (worker: WorkerProcess) => void): Promise<string> {
  const database = join(folder, "orders.db");
  const ledger = join(folder, "ledger.jsonl");
  const timeline = new Timeline();
  const storage = sqlite(database);
  const client = createClient({ storage });
  const watch = new Watch(client, (runId, event) => {
    const clause = narrate(event);
    if (clause !== null) timeline.say(runId, clause, event.at);
  });
  const launch = (): WorkerProcess => {
    const worker = startWorker(database, ledger);
    onWorker(worker);
    timeline.say("worker", good(`process ${worker.pid} started`));
    return worker;
  };

  // Three orders at once. The second one's card is charged at the second attempt; nobody approves it yet.
  const [first, second, third] = await client.startMany([
    { definition: order, input: { items: 40, cents: 8_000 }, options: { id: "o-1" } },
    { definition: order, input: { items: 2, cents: 12_000 }, options: { id: "o-2" } },
    { definition: order, input: { items: 1, cents: 700 }, options: { id: "o-3" } },
  ]);
  for (const run of [first!, second!, third!]) watch.add(run.runId);
  await first!.signal(approved, { by: "ada" });
  await third!.signal(approved, { by: "ada" });

  // o-1 packs for two seconds. In the middle of that, the worker dies.
  const killed = launch();
  await Promise.race([watch.until((histories) => isRunning(histories, "o-1", "pack-parcel")), killed.unexpected]);
  await pause(600);
  await killed.kill();
  await watch.look();
  const atKill = watch.histories;
  const ledgerAtKill = readLedger(ledger);
  timeline.say("worker", bad(`process ${killed.pid} killed with SIGKILL`));

  // Nothing runs now. A signal is accepted all the same: it waits in the run's inbox.
  await second!.signal(approved, { by: "grace" });
  timeline.say("o-2", { text: "signal approved sent, with no worker there to take it", mood: "plain" });
  await pause(400);

  // Another worker goes on: at once with the runs that nobody held, with o-1 when the dead worker's lease is over.
  const worker = launch();
  await Promise.race([watch.until((histories) => [...histories.values()].every(hasEnded)), worker.unexpected]);
  await worker.stop();
  timeline.say("worker", { text: `process ${worker.pid} stopped`, mood: "plain" });
  await client.close();
  await storage.close();

  const ledgerSince = readLedger(ledger).slice(ledgerAtKill.length);
  return judge({ atKill, atEnd: watch.histories, ledgerAtKill, ledgerSince });
}

/** The activity's start is recorded, and its end is not. */
function isRunning(histories: Histories, runId: string, activity: string): boolean {
  const last = histories.get(runId)?.at(-1);
  return last?.type === "ACTIVITY_SCHEDULED" && last.data.activity === activity;
}

function hasEnded(history: Histories extends ReadonlyMap<string, infer History> ? History : never): boolean {
  return ["WORKFLOW_COMPLETED", "WORKFLOW_FAILED", "WORKFLOW_CANCELLED"].includes(history.at(-1)?.type ?? "");
}

function good(text: string): Clause {
  return { text, mood: "good" };
}

function bad(text: string): Clause {
  return { text, mood: "bad" };
}
