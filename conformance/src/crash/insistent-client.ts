import { setTimeout as sleep } from "node:timers/promises";
import { type Client, isPerdureError } from "@perdure/core";
import { equal } from "../assert.ts";
import { MemoryLedger } from "./ledger.ts";
import type { SoloRun } from "./order.ts";
import { expectedOutcome, expectedSum, go, labWorkflows } from "./workflows.ts";

const { everything, pipeline } = labWorkflows({ ledger: new MemoryLedger(), by: "client" });

/** What a store that was lost in part, or is not there, answers to whoever goes on as before. */
const PASSING = ["unavailable", "run-not-found", "result-timeout"];
/** A signal that was lost is missed in the end: after so long without a result it is sent again, in milliseconds. */
const LOOK_AGAIN = 1_500;

/**
 * Sees a run through, whatever becomes of the store: starts it, sends its signals, waits for its result. What was lost is done again;
 * what was not is known by its id. May be called again for a run that has ended.
 * @throws ConformanceFailure for a wrong result (I12, I18)
 */
export async function seeThrough(client: Client, run: SoloRun): Promise<void> {
  for (;;) {
    try {
      return await drive(client, run);
    } catch (error) {
      if (!isPerdureError(error) || !PASSING.includes(error.code)) throw error;
      await sleep(20);
    }
  }
}

async function drive(client: Client, { runId, plan, signalled }: SoloRun): Promise<void> {
  if (!signalled) {
    const handle = await client.start(pipeline, plan, { id: runId });
    return equal(
      await handle.result({ timeout: LOOK_AGAIN }),
      expectedSum(plan),
      `run "${runId}" has the right result (I12)`,
    );
  }
  const handle = await client.start(everything, plan, { id: runId });
  for (const payload of ["first", "second"]) await handle.signal(go, payload, { id: payload }).catch(unlessClosed);
  equal(
    await handle.result({ timeout: LOOK_AGAIN }),
    expectedOutcome(plan),
    `run "${runId}" has the right result (I12, I18)`,
  );
}

function unlessClosed(error: unknown): void {
  if (!isPerdureError(error, "run-closed")) throw error;
}
