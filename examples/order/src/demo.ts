import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createClient, type RunHandle } from "@perdure/core";
import { sqlite } from "@perdure/storage-sqlite";
import { readLedger } from "./ledger.ts";
import { approved, order } from "./order.ts";
import { Timeline } from "./timeline.ts";
import { judge } from "./verdict.ts";
import { isOver, isRunning, Watch } from "./watch.ts";
import { startWorker, type WorkerProcess } from "./worker-process.ts";

/**
 * Places three orders, kills their worker in the middle, starts another one and waits for the end. Answers the verdict.
 *
 * @param folder for the database and the ledger
 * @param onWorker is told of every worker process, so that none is left behind
 * @throws Error with one sentence that says what went wrong
 */
export async function demo(folder: string, onWorker: (worker: WorkerProcess) => void): Promise<string> {
  const database = join(folder, "orders.db");
  const ledger = join(folder, "ledger.jsonl");
  writeFileSync(ledger, "");
  const timeline = new Timeline();
  const storage = sqlite(database);
  const client = createClient({ storage });
  const watch = new Watch(client, ledger, timeline);
  const launch = (): WorkerProcess => {
    const worker = startWorker(database, ledger);
    onWorker(worker);
    timeline.say("worker", "good", `process ${worker.pid} started`);
    return worker;
  };
  const place = async (id: string, input: { items: number; cents: number }): Promise<RunHandle> => {
    const run = await client.start(order, input, { id });
    watch.add(id);
    return run;
  };

  // Three orders. The bank does not answer at once to the second one, and nobody has approved it yet.
  const [first, second, third] = await Promise.all([
    place("o-1", { items: 50, cents: 8_000 }),
    place("o-2", { items: 2, cents: 12_000 }),
    place("o-3", { items: 1, cents: 700 }),
  ]);
  await first.signal(approved, { by: "ada" });
  await third.signal(approved, { by: "ada" });
  await watch.look();

  // o-1 is packed for two and a half seconds. In the middle of that, the worker dies.
  const killed = launch();
  await Promise.race([watch.until((histories) => isRunning(histories.get("o-1"), "pack-parcel")), killed.unexpected]);
  await pause(500);
  await killed.kill();
  await watch.look();
  const atKill = watch.histories;
  const ledgerAtKill = readLedger(ledger);
  timeline.say("worker", "bad", `process ${killed.pid} killed with SIGKILL`);

  // Nobody is there. A signal is accepted all the same: it waits in the run's inbox.
  await second.signal(approved, { by: "grace" });
  timeline.say("o-2", "plain", "signal approved sent, with no worker there to take it");
  await pause(400);

  // Another worker goes on: at once with the runs that nobody held, with o-1 when the dead worker's lease is over.
  const worker = launch();
  await Promise.race([watch.until((histories) => [...histories.values()].every(isOver)), worker.unexpected]);
  await worker.stop();
  timeline.say("worker", "plain", `process ${worker.pid} stopped`);
  await client.close();
  await storage.close();

  const ledgerSince = readLedger(ledger).slice(ledgerAtKill.length);
  return judge({ atKill, atEnd: watch.histories, ledgerAtKill, ledgerSince });
}
