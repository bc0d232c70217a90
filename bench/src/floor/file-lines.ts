import { crc32 } from "node:zlib";
import { activityData, CLOSED_DATA, type Held, LEASE_MS, OUTPUT } from "./held.ts";
import { randomId } from "./random-id.ts";

/** A run as its line in the journal says. */
export interface Enqueued {
  readonly ns: string;
  readonly runId: string;
  readonly incarnation: string;
  readonly input: string;
}

export function claimLine({ ns, runId, incarnation }: Enqueued): string {
  const at = Date.now();
  const task = { taskId: `${incarnation}:${runId}`, workerId: "floor", workerInstance: randomId() };
  return lineOf({ ns, at, do: "claim", ...task, leaseUntil: at + LEASE_MS, deliveries: 1 });
}

/** The same events as the engine's. */
export function commitLine(run: Enqueued, held: Held, activity: number, isLast: boolean): string {
  const { ns, runId, incarnation } = run;
  const at = Date.now();
  const claim = { taskId: `${incarnation}:${runId}`, runId, incarnation, epoch: held.epoch };
  const done = { type: "ACTIVITY_COMPLETED", command: activity, at, data: activityData(held, activity) };
  const ended = { type: "WORKFLOW_COMPLETED", command: null, at, data: CLOSED_DATA };
  const events = isLast ? [done, ended] : [done];
  const end = isLast
    ? { close: { status: "completed", output: OUTPUT }, next: { do: "done" } }
    : { next: { do: "hold" } };
  const turn = { commitId: randomId(), expectedSeq: held.seq, events, ackInbox: 0, ...end };
  held.seq += events.length;
  return lineOf({ ns, at, do: "commit", commit: { kind: "workflow", claim, ...turn } });
}

/** What has lines count. */
export function groupEnd(group: number, from: number, runs: readonly Enqueued[]): string {
  const marks = runs.map(({ ns, runId }) => checksumOf(`run ${ns} ${runId}`));
  return lineOf({ group, from, marks });
}

function lineOf(line: object): string {
  const text = JSON.stringify(line);
  return `${checksumOf(text)} ${text}\n`;
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
