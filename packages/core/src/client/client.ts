import { boundedCodec } from "../batch/bounded-codec.ts";
import { accessTo, type StorageAccess } from "../batch/storage-access.ts";
import type { Codec } from "../codec/codec.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import type { Signal } from "../define/signal.ts";
import type { AnyWorkflow, Workflow } from "../define/workflow.ts";
import { type BlockReason, readBlockReason } from "../engine/block-reason.ts";
import { UsageError } from "../errors/index.ts";
import type { Runtime } from "../model/runtime.ts";
import type { Attributes, ClosedStatus, RunStatus } from "../model/run.ts";
import { realRuntime } from "../runtime/real-runtime.ts";
import type { StorageBackend } from "../storage/backend.ts";
import type { StorageStats } from "../storage/operations.ts";
import type { RunSummary } from "../storage/run.ts";
import { ClosedRuns } from "./closed-runs.ts";
import { shownStatus, type ShownStatus } from "./describe.ts";
import { signalData, StoredRunHandle, type HandleEnvironment, type RunHandle } from "./handle.ts";
import { newRun, type StartOptions } from "./start.ts";

/** What a client needs. Everything but `storage` has a default. */
export interface ClientOptions {
  /** Closed by whoever made it. */
  readonly storage: StorageBackend;
  /** The codec that the workers use. */
  readonly codec?: Codec;
  /** Time and randomness, for tests. */
  readonly runtime?: Runtime;
}

/** One of many starts. */
export interface Start<Input, Output, State> {
  readonly definition: Workflow<Input, Output, State>;
  readonly input: Input;
  readonly options?: StartOptions;
}

/** Which runs to list; absent conditions do not filter. */
export interface ListFilter {
  readonly status?: RunStatus | readonly RunStatus[];
  readonly blocked?: boolean;
  readonly workflow?: string;
  readonly queue?: string;
  readonly parentRunId?: string;
  readonly attributes?: Attributes;
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
}

/** A run in a list. */
export interface ListedRun extends Omit<RunSummary, "status" | "createdAt" | "closedAt" | "task"> {
  readonly status: ShownStatus;
  /** Why no code goes on with it; `null` for a run that is not blocked. */
  readonly blocked: BlockReason | null;
  readonly createdAt: Date;
  readonly closedAt: Date | null;
}

/** Starts runs and reads them. Needs no worker in its process. */
export interface Client {
  /**
   * Starts a run. Repeating a start with the same `id` or `idempotencyKey` and input answers the same run, also when it has ended.
   * @throws UsageError `run-exists` (other input), `invalid-input`, `invalid-argument`, `not-serializable`, `payload-too-large`
   */
  start<Input, Output, State>(
    definition: Workflow<Input, Output, State>,
    input: Input,
    options?: StartOptions,
  ): Promise<RunHandle<Output, State>>;
  /** Starts many runs in few transactions. Each start stands alone: the first refusal is thrown after all others were done. */
  startMany<Input, Output, State>(
    starts: readonly Start<Input, Output, State>[],
  ): Promise<readonly RunHandle<Output, State>[]>;
  /** Starts a run if it is not there and sends it a signal; needs an `id` or an `idempotencyKey` to make sense. */
  signalWithStart<Input, Output, State, Sent>(
    definition: Workflow<Input, Output, State>,
    input: Input,
    signal: Signal<Sent, unknown>,
    payload: Sent,
    options?: StartOptions & { readonly signalId?: string },
  ): Promise<RunHandle<Output, State>>;
  /** A handle to a run that is there already; the definition gives it its types. */
  handle<Input = unknown, Output = unknown, State = unknown>(
    runId: string,
    definition?: Workflow<Input, Output, State>,
  ): RunHandle<Output, State>;
  /** One page of runs, newest first. `limit` 1 … 1000, default 50. */
  list(
    filter?: ListFilter,
    page?: { readonly limit?: number; readonly cursor?: string | null },
  ): Promise<{
    readonly runs: readonly ListedRun[];
    readonly cursor: string | null;
  }>;
  /** Deletes runs that closed before a time (and at least an hour ago), with all that they left. Answers their number. */
  purge(options: { readonly closedBefore: Date; readonly status?: readonly ClosedStatus[] }): Promise<number>;
  stats(): Promise<StorageStats>;
  /** Stops listening. The storage stays open. */
  close(): Promise<void>;
}

/**
 * Makes a client. Nothing happens before its first use, which sets the storage up.
 * @example
 * const client = createClient({ storage });
 * const run = await client.start(order, { orderId: "o-1" }, { idempotencyKey: "order-o-1" });
 * console.log(await run.result());
 */
export function createClient(options: ClientOptions): Client {
  return new StorageClient(options);
}

const PURGE_AT_ONCE = 500;

class StorageClient implements Client {
  readonly #access: StorageAccess;
  readonly #environment: HandleEnvironment;

  constructor({ storage, codec = jsonCodec, runtime = realRuntime }: ClientOptions) {
    this.#access = accessTo(storage, runtime);
    this.#environment = {
      access: this.#access,
      codec: boundedCodec(codec, storage),
      closed: new ClosedRuns(this.#access),
    };
  }

  async start<Input, Output, State>(
    definition: Workflow<Input, Output, State>,
    input: Input,
    options: StartOptions = {},
  ): Promise<RunHandle<Output, State>> {
    return (await this.#start(definition, input, options)) as RunHandle<Output, State>;
  }

  async startMany<Input, Output, State>(
    starts: readonly Start<Input, Output, State>[],
  ): Promise<readonly RunHandle<Output, State>[]> {
    const outcomes = await Promise.allSettled(
      starts.map(({ definition, input, options }) => this.#start(definition, input, options ?? {})),
    );
    return outcomes.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value as RunHandle<Output, State>;
    });
  }

  async signalWithStart<Input, Output, State, Sent>(
    definition: Workflow<Input, Output, State>,
    input: Input,
    signal: Signal<Sent, unknown>,
    payload: Sent,
    options: StartOptions & { readonly signalId?: string } = {},
  ): Promise<RunHandle<Output, State>> {
    // A payload that is refused must not leave a run behind.
    await signalData(this.#environment.codec, signal, payload);
    const { signalId, ...start } = options;
    const handle = await this.start(definition, input, start);
    await handle.signal(signal, payload, signalId === undefined ? {} : { id: signalId });
    return handle;
  }

  handle<Input, Output, State>(runId: string, _definition?: Workflow<Input, Output, State>): RunHandle<Output, State> {
    return new StoredRunHandle(this.#environment, runId) as RunHandle as RunHandle<Output, State>;
  }

  async list(
    filter: ListFilter = {},
    page: { readonly limit?: number; readonly cursor?: string | null } = {},
  ): ReturnType<Client["list"]> {
    await this.#access.ready();
    const { status, createdAfter, createdBefore, ...rest } = filter;
    const { items, cursor } = await this.#access.storage.listRuns({
      ...rest,
      ...(status !== undefined && { status: typeof status === "string" ? [status] : status }),
      ...(createdAfter !== undefined && { createdAfter: createdAfter.getTime() }),
      ...(createdBefore !== undefined && { createdBefore: createdBefore.getTime() }),
      ...(typeof page.cursor === "string" && { cursor: page.cursor }),
      limit: page.limit ?? 50,
    });
    const now = this.#access.clock.latest();
    return { runs: items.map((run) => listed(run, now)), cursor };
  }

  async purge({
    closedBefore,
    status,
  }: {
    readonly closedBefore: Date;
    readonly status?: readonly ClosedStatus[];
  }): Promise<number> {
    await this.#access.ready();
    const { limits } = this.#access.storage.info;
    for (let total = 0; ;) {
      const { purged, more } = await this.#access.storage.purgeRuns({
        closedBefore: closedBefore.getTime(),
        ...(status !== undefined && { status }),
        limit: Math.min(PURGE_AT_ONCE, limits.purgeRuns),
      });
      total += purged;
      if (!more) return total;
    }
  }

  async stats(): Promise<StorageStats> {
    await this.#access.ready();
    return this.#access.storage.stats();
  }

  async close(): Promise<void> {
    await this.#environment.closed.close();
  }

  async #start(definition: AnyWorkflow, input: unknown, options: StartOptions): Promise<StoredRunHandle> {
    await this.#access.ready();
    const start = await newRun(this.#access, this.#environment.codec, definition, input, options);
    const { status, run } = await this.#access.create(start);
    if (status === "conflict") {
      throw new UsageError(
        "run-exists",
        `Run "${run.runId}" of workflow "${run.workflow}" was started with another workflow or input. Use another id or idempotency key.`,
        { details: { runId: run.runId } },
      );
    }
    return new StoredRunHandle(this.#environment, run.runId, run.incarnation);
  }
}

function listed({ status, createdAt, closedAt, task, ...run }: RunSummary, now: number): ListedRun {
  return {
    ...run,
    status: shownStatus({ status, task }, now),
    blocked: task === null ? null : readBlockReason(task.blocked),
    createdAt: new Date(createdAt),
    closedAt: closedAt === null ? null : new Date(closedAt),
  };
}
