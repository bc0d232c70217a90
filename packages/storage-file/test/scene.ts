import type {
  Claim,
  ClaimRequest,
  EventPage,
  NewEvent,
  NewMessage,
  NewRun,
  Run,
  StorageBackend,
  WorkflowCommit,
} from "@perdure/core/storage";

/** A run to be created, of which only the id matters. */
export function newRun(runId: string, input = '"in"'): NewRun {
  return {
    runId,
    incarnation: `incarnation-of-${runId}`,
    workflow: "greet",
    version: null,
    queue: "default",
    priority: 0,
    startHash: "hash",
    parent: null,
    parentClose: null,
    input,
    state: null,
    attributes: {},
    readyAt: null,
    deadlineAt: null,
    started: event("WORKFLOW_STARTED"),
  };
}

function event(type: string): NewEvent {
  return { type, command: null, at: 1_000, data: '{"of":"the engine"}' };
}

function message(runId: string, dedupeId: string): NewMessage {
  return { runId, dedupeId, external: true, data: '"hi"' };
}

/** A claim of whatever is ready. */
export function anyTask(limit = 10): ClaimRequest {
  return {
    workerId: "worker",
    workerInstance: "instance",
    holding: [],
    queues: ["default"],
    kinds: ["workflow"],
    handlers: { workflows: ["greet"], activities: [] },
    limit,
    leaseMs: 60_000,
    inlineEvents: 16,
    overdue: false,
  };
}

/** A turn that records one event. */
export function turn(claim: Claim, expectedSeq: number, rest: Partial<WorkflowCommit> = {}): WorkflowCommit {
  return {
    kind: "workflow",
    claim,
    commitId: `commit-${claim.runId}-${expectedSeq}`,
    expectedSeq,
    events: [event("ACTIVITY_COMPLETED")],
    ackInbox: 0,
    next: { do: "hold" },
    ...rest,
  };
}

/** The last turn of a run. */
export function lastTurn(claim: Claim, expectedSeq: number): WorkflowCommit {
  const close = { status: "completed", output: '"out"', discardUnread: true } as const;
  return turn(claim, expectedSeq, { events: [event("WORKFLOW_COMPLETED")], close, next: { do: "done" } });
}

/** What a store shows of a run. */
export interface Sight {
  readonly run: Run | undefined;
  readonly events: EventPage["events"];
}

export async function see(storage: StorageBackend, runId: string): Promise<Sight> {
  const run = await storage.getRun(runId);
  const [page] = await storage.readEvents([{ runId, after: 0 }]);
  return { run, events: page!.events };
}

/** One write after the other, each told to `before` and `after`: runs are created, worked on, closed and purged. */
export async function play(
  storage: () => StorageBackend,
  each: (write: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const claims = new Map<string, Claim>();
  await each(() => storage().createRuns(["a", "b"].map((runId) => newRun(runId))));
  await each(() => storage().createRuns([newRun("c", '"é€😀"')]));
  await each(async () => {
    const { tasks } = await storage().claimTasks(anyTask());
    for (const { claim } of tasks) claims.set(claim.runId, claim);
  });
  // A claim that was applied and not answered is known by its epoch.
  const claimOf = (runId: string): Claim => claims.get(runId)!;
  await each(() => storage().commitTasks(["a", "b", "c"].map((runId) => turn(claimOf(runId), 1))));
  await each(() => storage().deliver([message("a", "m1"), message("b", "m1")]));
  await each(() => storage().writeCache([{ key: "k", value: '"v"', expiresAt: null, mode: "first" }]));
  await each(() => storage().renewLeases([claimOf("a"), claimOf("b")], 120_000));
  await each(() => storage().commitTasks([turn(claimOf("a"), 2), lastTurn(claimOf("b"), 2)]));
  await each(() => storage().purgeRuns({ closedBefore: 10_000_000_000_000, minAgeMs: 0, limit: 10 }));
  await each(() => storage().commitTasks([turn(claimOf("c"), 2, { next: { do: "park", wakeAt: null } })]));
  await each(() => storage().deliver([message("c", "m2")]));
}
