import { setTimeout as sleep } from "node:timers/promises";
import {
  type Client,
  type EventType,
  type RunCancelledError,
  type RunFailedError,
  type RunHandle,
  type StartOptions,
  type Workflow,
  type WorkerOptions,
  createClient,
  isPerdureError,
} from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { equal } from "../../assert.ts";
import type { CaseContext } from "../../context.ts";
import { ConformanceFailure } from "../../failure.ts";
import { generationsOf } from "../../generations.ts";
import { MortalWorker } from "./mortal-worker.ts";

/** `sticky`: parked runs stay in memory. `cold`: every turn replays the run from its history. */
type Mode = "sticky" | "cold";

/** Any definition: the lab asks only for its name and its code. */
export type Definition = WorkerOptions["workflows"][number];

/** How long a run may take for what needs milliseconds. Machines that run tests are busy. */
const PATIENCE_MS = 20_000;
/** Nothing here lasts as long: a worker that is alive keeps what it has, even on a machine that stalls. */
const LEASE_MS = 5_000;
const LOOK_MS = 15;
const LOOK_AGAIN_MS = 250;

/** Events that say when something happened, not what: a slow machine records them where a fast one does not. */
const TIMING: ReadonlySet<EventType> = new Set<EventType>(["ACTIVITY_SCHEDULED", "CHILD_STARTED"]);

interface LabOptions {
  readonly t: CaseContext;
  readonly mode: Mode;
  readonly flowing: (backend: StorageBackend) => StorageBackend;
}

/** The real engine over the backend, in one of its two modes: clients, workers, and all runs that a case starts. */
export class Lab {
  readonly t: CaseContext;
  readonly mode: Mode;
  /** The lab's own queue: its workers serve no other. */
  readonly queue: Mode;
  readonly storage: StorageBackend;
  readonly client: Client;
  /** Ids of the case's runs, by a name that is the same in both modes. */
  readonly runs = new Map<string, string>();
  /** The newest code of each workflow: what its histories are replayed with. */
  readonly definitions = new Map<string, Definition>();
  readonly #flowing: LabOptions["flowing"];
  readonly #workers: MortalWorker[] = [];

  constructor({ t, mode, flowing }: LabOptions) {
    this.t = t;
    this.mode = this.queue = mode;
    this.#flowing = flowing;
    this.storage = flowing(t.backend);
    this.client = createClient({ storage: this.storage });
    t.onEnd(() => this.client.close());
  }

  /** One more client of the store. */
  async open(): Promise<StorageBackend> {
    return this.#flowing(await this.t.open());
  }

  /** Sets a worker to work, with a client of its own. */
  async work(workflows: readonly Definition[], options: Partial<WorkerOptions> = {}): Promise<MortalWorker> {
    for (const definition of workflows) this.definitions.set(definition.name, definition);
    const worker = new MortalWorker({
      storage: await this.open(),
      workflows,
      queues: [this.queue],
      lease: LEASE_MS,
      cacheRuns: this.mode === "sticky" ? 1_000 : 0,
      ...options,
    });
    this.#workers.push(worker);
    this.t.onEnd(() => worker.stop());
    return worker;
  }

  /** Starts a run under a name that is the same in both modes. */
  async start<Input, Output, State>(
    definition: Workflow<Input, Output, State>,
    input: Input,
    { name = definition.name, ...options }: StartOptions & { readonly name?: string } = {},
  ): Promise<RunHandle<Output, State>> {
    const id = this.follow(name);
    return this.client.start(definition, input, { id, ...options });
  }

  /** Has the history of a run judged at the end. Answers the id that belongs to the name. */
  follow(name: string, runId = `${this.mode}-${name}`): string {
    this.runs.set(name, runId);
    return runId;
  }

  /** The run's output. A run that does not end, or is blocked, fails the case with what it waits for. */
  async output<Output>(run: RunHandle<Output>): Promise<Output> {
    const hopeless = new AbortController();
    const watching = setInterval(() => void this.#isBlocked(run).then((is) => is && hopeless.abort()), LOOK_AGAIN_MS);
    try {
      return await run.result({ timeout: PATIENCE_MS, signal: hopeless.signal });
    } catch (error) {
      if (!hopeless.signal.aborted && !isPerdureError(error, "result-timeout")) throw error;
      throw new ConformanceFailure(`run "${run.runId}" ends (I9)`, {
        expected: "its end",
        actual: await this.#standing(run),
      });
    } finally {
      clearInterval(watching);
    }
  }

  /** How the run failed. */
  async failed(run: RunHandle): Promise<RunFailedError> {
    const error = await this.#thrown(run);
    if (isPerdureError(error, "run-failed")) return error as RunFailedError;
    throw new ConformanceFailure(`run "${run.runId}" fails`, { expected: "run-failed", actual: error });
  }

  /** How the run was cancelled. */
  async cancelled(run: RunHandle): Promise<RunCancelledError> {
    const error = await this.#thrown(run);
    if (isPerdureError(error, "run-cancelled")) return error as RunCancelledError;
    throw new ConformanceFailure(`run "${run.runId}" ends as cancelled`, { expected: "run-cancelled", actual: error });
  }

  /** What the run has recorded, but for events that depend on how fast the machine is. */
  async types(run: RunHandle): Promise<readonly EventType[]> {
    return (await run.history()).map(({ type }) => type).filter((type) => !TIMING.has(type));
  }

  /** The run has recorded exactly this, but for its start and its end, and for events that depend on how fast the machine is. */
  async recorded(run: RunHandle, expected: readonly EventType[], what: string): Promise<void> {
    equal((await this.types(run)).slice(1, -1), expected, what);
  }

  /** Nobody holds the run, and it has recorded so many events of a type: it waits, or is over already on a machine that stalls. */
  async parked(run: RunHandle, type: EventType, count = 1): Promise<void> {
    const isIdle = async (): Promise<boolean> => !["pending", "running"].includes(await run.status());
    const isRecorded = async (): Promise<boolean> =>
      (await run.history()).filter((event) => event.type === type).length >= count;
    await this.until(
      `run "${run.runId}" comes to wait after ${type}`,
      async () => (await isIdle()) && (await isRecorded()) && isIdle(),
      () => this.#standing(run),
    );
  }

  /** Waits for something to come true; says what is instead if it does not. */
  async until(
    what: string,
    observe: () => boolean | Promise<boolean>,
    instead?: () => Promise<unknown>,
  ): Promise<void> {
    const late = performance.now() + PATIENCE_MS;
    while (!(await observe())) {
      if (performance.now() > late) {
        throw new ConformanceFailure(`${what} (I9)`, {
          expected: `so within ${PATIENCE_MS} ms`,
          actual: await instead?.(),
        });
      }
      await sleep(LOOK_MS);
    }
  }

  async #isBlocked(run: RunHandle): Promise<boolean> {
    return (await run.describe().catch(() => null))?.blocked != null;
  }

  /** What somebody wants to know of a run that does not go on. */
  async #standing(run: RunHandle): Promise<unknown> {
    const { why, events } = await run.describe();
    const fallen = this.#workers.flatMap(({ failure }) => (failure === null ? [] : [failure.error]));
    return { why, last: (await run.history()).at(-1)?.type, events, ...(fallen.length > 0 && { fallen }) };
  }

  async #thrown(run: RunHandle): Promise<unknown> {
    try {
      await this.output(run);
    } catch (error) {
      if (error instanceof ConformanceFailure) throw error;
      return error;
    }
    return undefined;
  }
}

/** What a history says happened, but not in which order of different commands: that is the machine's. */
export function outline(history: readonly { readonly type: EventType; readonly command: number | null }[]): unknown {
  return generationsOf(history).map((generation) => {
    const commands = new Map<number | null, EventType[]>();
    for (const { type, command } of generation) {
      // A wait is recorded if its signal is not there yet.
      if (TIMING.has(type) || type === "SIGNAL_AWAITED") continue;
      const types = commands.get(command);
      if (types === undefined) commands.set(command, [type]);
      else types.push(type);
    }
    return [...commands].toSorted(([a], [b]) => (a ?? 0) - (b ?? 0)).map(([command, types]) => [command, ...types]);
  });
}
