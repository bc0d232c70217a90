import { createClient, createWorker } from "@perdure/core";
import { memory } from "@perdure/core/memory";
import { type NewRun, type Run, type StorageBackend, type StoredEvent, workflowTaskId } from "@perdure/core/storage";
import { check, equal, only } from "../assert.ts";
import { history } from "../snapshot.ts";
import { generationsOf } from "../generations.ts";
import { callOfKey, callsOf } from "./call.ts";
import { MemoryLedger } from "./ledger.ts";
import { go, labWorkflows } from "./workflows.ts";

/** A run as it can be put into another storage. */
interface Transplant {
  readonly run: Run;
  readonly events: readonly StoredEvent[];
}

const AT_ONCE = 50;

/**
 * Puts every prefix of a run's history into a fresh memory storage, has a fresh worker carry it on, and sees that it asks for the
 * same commands, repeats nothing that has an outcome and ends with the same result (I14, I12). Answers the number of prefixes: none for a run whose
 * activities others executed, for their tasks are not in its history.
 */
export async function resumePrefixes(storage: StorageBackend, runId: string): Promise<number> {
  const original = await transplant(storage, runId);
  if (original.events.some(({ type, data }) => type === "ACTIVITY_SCHEDULED" && isTask(data))) return 0;
  const children: Transplant[] = [];
  for (const { type, data } of original.events) {
    if (type !== "CHILD_SCHEDULED") continue;
    children.push(await transplant(storage, (JSON.parse(data) as { runId: string }).runId));
  }
  const lengths = Array.from({ length: original.events.length - 1 }, (_, index) => index + 1);
  for (let from = 0; from < lengths.length; from += AT_ONCE) {
    await Promise.all(lengths.slice(from, from + AT_ONCE).map((length) => resume(original, children, length)));
  }
  return lengths.length;
}

function isTask(data: string): boolean {
  return (JSON.parse(data) as { where: string }).where === "task";
}

async function transplant(storage: StorageBackend, runId: string): Promise<Transplant> {
  const run = await storage.getRun(runId);
  check(run, `run "${runId}" is there (I4)`);
  return { run, events: await history(storage, runId) };
}

async function resume(original: Transplant, children: readonly Transplant[], length: number): Promise<void> {
  const { runId } = original.run;
  const what = `run "${runId}", carried on cold after its first ${length} events,`;
  const storage = memory();
  const prefix = original.events.slice(0, length);
  await plant(storage, original, prefix);
  for (const child of children) if (isStarted(prefix, child.run)) await plant(storage, child, child.events.slice(0, 1));

  const ledger = new MemoryLedger();
  const workflows = Object.values(labWorkflows({ ledger, by: "replay" }));
  const worker = createWorker({ storage, workflows, cacheRuns: 0, logger: SILENT });
  const client = createClient({ storage });
  const handle = client.handle(runId);
  const working = worker.run();
  try {
    for (const { payload, id } of signalsAfter(original.events, length)) await handle.signal(go, payload, { id });
    const output = await handle.result({ timeout: "10s" }).catch(async (error: unknown) => {
      const { blocked } = (await storage.getRun(runId))!.task ?? { blocked: null };
      check(false, `${what} ends; instead: ${blocked ?? String(error)} (I14)`);
    });
    equal(output, JSON.parse(original.run.output!), `${what} ends with the same result (I14)`);
    const resumed = await history(storage, runId);
    equal(resumed.slice(0, length), prefix, `${what} keeps them (I2)`);
    equal(commands(resumed), commands(original.events), `${what} asks for the same commands (I14)`);
    const decided = new Set(
      callsOf(prefix)
        .filter(({ event: { type } }) => type.startsWith("ACTIVITY_") && /COMPLETED|FAILED/.test(type))
        .map(({ call }) => call),
    );
    for (const entry of ledger.entries) {
      if (entry.what !== "began" || entry.run !== runId) continue;
      const call = callOfKey(entry.key);
      check(!decided.has(call), `${what} does not execute call ${call} again, whose outcome is recorded (I12)`);
    }
  } finally {
    await worker.stop({ grace: 0 });
    await working;
    await client.close();
    await storage.close();
  }
}

/** Stores a run with the first events of its history, ready for whoever claims it. */
async function plant(storage: StorageBackend, { run }: Transplant, events: readonly StoredEvent[]): Promise<void> {
  await storage.setup();
  const [started, ...rest] = events.map(({ type, command, at, data }) => ({ type, command, at, data }));
  const planted: NewRun = { ...run, state: null, attributes: {}, readyAt: null, started: started! };
  await storage.createRuns([planted]);
  if (rest.length === 0) return;
  const taskIds = [workflowTaskId(run.runId, run.incarnation)];
  const { now, tasks } = await storage.claimTasks({
    workerId: "planter",
    workerInstance: "planter",
    holding: [],
    queues: [],
    kinds: ["workflow"],
    handlers: { workflows: [], activities: [] },
    limit: 1,
    leaseMs: 1_000,
    inlineEvents: 0,
    overdue: false,
    taskIds,
  });
  const { claim } = only(tasks, "a planted run can be claimed");
  const continued = events.findLast(({ type }) => type === "WORKFLOW_CONTINUED_AS_NEW");
  await storage.commitTasks([
    {
      kind: "workflow",
      claim,
      commitId: "planted",
      expectedSeq: 1,
      events: rest,
      ackInbox: 0,
      ...(continued !== undefined && { run: { baseSeq: continued.seq - 1 } }),
      next: { do: "park", wakeAt: now },
    },
  ]);
}

function isStarted(prefix: readonly StoredEvent[], { runId, parent }: Run): boolean {
  return prefix.some(({ type, command }) => {
    if (type !== "CHILD_STARTED") return false;
    const scheduled = prefix.find((event) => event.type === "CHILD_SCHEDULED" && event.command === command)!;
    return scheduled.seq === parent?.seq && (JSON.parse(scheduled.data) as { runId: string }).runId === runId;
  });
}

function signalsAfter(
  events: readonly StoredEvent[],
  length: number,
): { readonly payload: string; readonly id: string }[] {
  return events
    .slice(length)
    .filter(({ type }) => type === "SIGNAL_RECEIVED")
    .map(({ data }) => JSON.parse(data) as { payload: string; id: string });
}

/** The kind and name of each command of each generation. A wait that found its signal there leaves no record of its own. */
function commands(events: readonly StoredEvent[]): unknown {
  return generationsOf(events).map(commandsOf);
}

function commandsOf(events: readonly StoredEvent[]): Record<number, string> {
  const asked: Record<number, string> = {};
  for (const { type, command, data } of events) {
    if (command === null || type === "SIGNAL_AWAITED") continue;
    const { activity, workflow, key, step } = JSON.parse(data) as Partial<
      Record<"activity" | "workflow" | "key" | "step", string>
    >;
    asked[command] ??= [type.split("_", 1)[0], activity ?? workflow ?? key ?? step].join(" ").trim();
  }
  return asked;
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
