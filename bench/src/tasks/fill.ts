import type { NextStep, NewEvent, NewRun, StorageBackend } from "@perdure/core/storage";
import { ACTIVITIES, five } from "../definitions.ts";
import type { Site } from "../station/site.ts";

/** What a store is filled with: runs of W1 that are long done, and others that wait for a signal or for tomorrow. */
export interface Filling {
  readonly finished: number;
  readonly parked: number;
}

const DAY_MS = 24 * 3_600_000;
const OUTPUT = '{"ok":true,"value":42}';

/**
 * Fills an empty store through the port, without an engine: what is there afterwards looks as if it had been done. Answers what was
 * done then that a server would have done by itself in time, or null.
 */
export async function fill({ storage, backend, place }: Site, { finished, parked }: Filling): Promise<string | null> {
  const { claimTasks, batch } = storage.info.limits;
  const most = Math.min(claimTasks, batch, 1_000);
  for (let at = 0; at < finished + parked; at += most) {
    await fillBatch(storage, at, Math.min(most, finished + parked - at), Math.max(0, finished - at));
  }
  const { runs, queues } = await storage.stats();
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  if (runs.completed !== finished || runs.open !== parked || waiting !== parked)
    throw new Error(`The store should hold ${finished} finished and ${parked} parked runs: ${JSON.stringify(runs)}.`);
  return (await backend.settle?.(place)) ?? null;
}

/** Creates runs, claims them, and commits what they come to: the first `finished` of them are done, the others park. */
async function fillBatch(storage: StorageBackend, from: number, count: number, finished: number): Promise<void> {
  const now = await storage.now();
  await storage.createRuns(Array.from({ length: count }, (_, index) => newRun(`fill-${from + index}`, now)));
  const { tasks } = await storage.claimTasks({
    workerId: "fill",
    workerInstance: `fill-instance-${from}`,
    holding: [],
    queues: ["default"],
    kinds: ["workflow"],
    handlers: { workflows: [five.name], activities: [] },
    limit: count,
    leaseMs: 60_000,
    inlineEvents: 0,
    overdue: true,
  });
  const results = await storage.commitTasks(
    tasks.map(({ claim }, index) => {
      const isDone = index < finished;
      // Half of the parked ones wait for a message alone.
      const parked: NextStep = { do: "park", wakeAt: index % 2 === 0 ? null : now + DAY_MS };
      return {
        kind: "workflow",
        claim,
        commitId: `${claim.incarnation}-1`,
        expectedSeq: 1,
        events: isDone ? doneEvents(now) : [],
        ackInbox: 0,
        ...(isDone && { close: { status: "completed", output: OUTPUT } }),
        next: isDone ? { do: "done" } : parked,
      };
    }),
  );
  const stored = results.filter(({ status }) => status === "ok").length;
  if (stored !== count) throw new Error(`Of ${count} runs to fill the store with, ${stored} were taken.`);
}

function newRun(runId: string, at: number): NewRun {
  return {
    runId,
    incarnation: runId.padStart(16, "0"),
    workflow: five.name,
    version: null,
    queue: "default",
    priority: 0,
    startHash: runId,
    parent: null,
    parentClose: "cancel",
    input: "0",
    state: null,
    attributes: {},
    readyAt: null,
    deadlineAt: null,
    started: { type: "WORKFLOW_STARTED", command: null, at, data: `{"workflow":"${five.name}"}` },
  };
}

/** The rest of the history of a run of W1. */
function doneEvents(at: number): readonly NewEvent[] {
  const completed = Array.from({ length: ACTIVITIES }, (_, index) => ({
    type: "ACTIVITY_COMPLETED",
    command: index + 1,
    at,
    data: `{"activity":"noop","attempt":1,"input":${index},"output":${OUTPUT}}`,
  }));
  return [...completed, { type: "WORKFLOW_COMPLETED", command: null, at, data: `{"output":${OUTPUT}}` }];
}
