import type { NewRun, StorageBackend, WorkflowCommit } from "@perdure/core/storage";
import { cosmos, type CosmosOptions } from "@perdure/storage-cosmos";
import { COSMOS_KEY, CosmosService } from "perdure-servers/cosmos";

/** A service of a test's own, in this process, and clients of it. */
export class TestStore {
  readonly service: CosmosService;
  readonly #clients: StorageBackend[] = [];

  private constructor(service: CosmosService) {
    this.service = service;
  }

  static async start(): Promise<TestStore> {
    return new TestStore(await CosmosService.start());
  }

  open(options: CosmosOptions = {}): StorageBackend {
    const client = cosmos({ endpoint: this.service.url, key: COSMOS_KEY, ...options });
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    this.service.faults.clear();
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.service.stop();
  }
}

let count = 0;

export function newRun(given: Partial<NewRun> = {}): NewRun {
  count += 1;
  return {
    runId: `run-${count}`,
    incarnation: `incarnation-${String(count).padStart(8, "0")}`,
    workflow: "order",
    version: null,
    queue: "main",
    priority: 0,
    startHash: "hash",
    parent: null,
    parentClose: null,
    input: "1",
    state: null,
    attributes: {},
    readyAt: null,
    deadlineAt: null,
    started: { type: "WORKFLOW_STARTED", command: null, at: 0, data: "{}" },
    ...given,
  };
}

/** Claims whatever is ready. */
export async function take(backend: StorageBackend) {
  const { tasks } = await backend.claimTasks({
    workerId: "worker",
    workerInstance: `instance-${count++}`,
    holding: [],
    queues: ["main"],
    kinds: ["workflow"],
    handlers: { workflows: ["order"], activities: [] },
    limit: 1,
    leaseMs: 60_000,
    inlineEvents: 16,
    overdue: false,
  });
  const [task] = tasks;
  if (task?.kind !== "workflow") throw new Error("Nothing was handed out.");
  return task;
}

export function turn(
  task: { readonly claim: WorkflowCommit["claim"]; readonly lastSeq: number },
  given: Partial<WorkflowCommit> = {},
): WorkflowCommit {
  count += 1;
  return {
    kind: "workflow",
    claim: task.claim,
    commitId: `commit-${count}`,
    expectedSeq: task.lastSeq,
    events: [{ type: "NOTED", command: 0, at: 0, data: "1" }],
    ackInbox: 0,
    next: { do: "hold" },
    ...given,
  };
}
