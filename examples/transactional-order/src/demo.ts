import { type Client, createClient, isPerdureError, type RunHandle } from "@perdure/core";
import { Counter } from "./counter.ts";
import { fulfilmentWith } from "./fulfilment.ts";
import type { Server } from "./server.ts";
import { createTables, type Shop } from "./tables.ts";
import { transactionsOf } from "./transactions.ts";
import type { Moment, WorkerProcess } from "./worker-process.ts";

const PENS = 10;

/**
 * Places two orders of which one is refused, kills two workers that reserve stock for the other one, and has it paid and shipped.
 * Answers the verdict.
 *
 * @param launch starts a worker there, which dies at a moment or goes on
 * @throws Error with one sentence that says what went wrong
 */
export async function demo(
  server: Server,
  url: string,
  name: string,
  launch: (diesAt?: Moment) => WorkerProcess,
): Promise<string> {
  const { shop, storage } = server.open(url, name);
  const client = createClient({ storage });
  const inTransaction = transactionsOf(shop);
  const counter = new Counter(client, fulfilmentWith(inTransaction).fulfilment, inTransaction);
  await createTables(shop);
  await shop.insertInto("stock").values({ item: "pen", pieces: PENS }).execute();

  // The row of an order and its run are one thing: both are there, or neither.
  const run = await counter.place({ orderId: "o-1", item: "pen", pieces: 3 });
  say("placed", `o-1: ${await look(shop, run)}`);
  const refusal = await counter.place({ orderId: "o-2", item: "pen", pieces: 999 }).then(
    () => null,
    (error: Error) => error.message,
  );
  require(refusal !== null, "An order was not refused.");
  require(!(await exists(shop, client, "o-2")), "Something is left of the refused order.");
  say("refused", `o-2: ${refusal} Neither a row nor a run is left`);

  // What was not committed never was: not the stock, not the result of the activity.
  const first = launch("before the commit");
  await first.killed();
  say("killed", `worker ${first.pid} right before its commit: ${await look(shop, run)}`);
  require((await piecesLeft(shop)) === PENS, "Stock was taken without a commit.");

  // What was committed stays, with the record of it, though its worker could tell nobody.
  const second = launch("after the commit");
  await second.killed();
  say("killed", `worker ${second.pid} right after its commit: ${await look(shop, run)}`);
  require((await piecesLeft(shop)) === PENS - 3, "The stock was not taken once.");

  // The money and the run's knowledge of it are one thing, too.
  await counter.pay("o-1", "receipt 7");
  say("paid", `o-1: ${await look(shop, run)}`);
  const third = launch();
  const result = await Promise.race([run.result(), third.unexpected()]);
  say("finished", `o-1 by worker ${third.pid}: ${await look(shop, run)}, ${JSON.stringify(result)}`);
  await third.stop();
  require((await piecesLeft(shop)) === PENS - 3, "The stock was taken again.");
  require(third.begun === 1, `The last worker had to ship, and began ${third.begun} transactions.`);

  await client.close();
  await storage.close();
  await shop.destroy();
  return `transactional-order: ok — ${PENS} pens, 3 ordered, 2 workers killed, ${PENS - 3} pens left`;
}

/** What the shop's tables and the run say of an order. */
async function look(shop: Shop, run: Pick<RunHandle, "runId" | "status">): Promise<string> {
  const { status } = await shop
    .selectFrom("orders")
    .select("status")
    .where("id", "=", run.runId)
    .executeTakeFirstOrThrow();
  return `order ${status}, run ${await run.status()}, ${await piecesLeft(shop)} pens in stock`;
}

async function piecesLeft(shop: Shop): Promise<number> {
  const { pieces } = await shop
    .selectFrom("stock")
    .select("pieces")
    .where("item", "=", "pen")
    .executeTakeFirstOrThrow();
  return pieces;
}

/** Whether there is an order or a run with this id. */
async function exists(shop: Shop, client: Client, id: string): Promise<boolean> {
  const row = await shop.selectFrom("orders").select("id").where("id", "=", id).executeTakeFirst();
  const isUnknown = await client
    .handle(id)
    .status()
    .then(
      () => false,
      (error: unknown) => isPerdureError(error, "run-not-found"),
    );
  return row !== undefined || !isUnknown;
}

function require(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}

function say(what: string, text: string): void {
  console.log(`${what.padEnd(9)} ${text}`);
}
