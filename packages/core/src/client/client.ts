import { boundedCodec } from "../batch/bounded-codec.ts";
import { accessTo, type StorageAccess } from "../batch/storage-access.ts";
import type { Codec } from "../codec/codec.ts";
import { jsonCodec } from "../codec/json-codec.ts";
import type { Signal } from "../define/signal.ts";
import type { Workflow } from "../define/workflow.ts";
import { requireName } from "../define/require-name.ts";
import { requireInstant } from "../errors/require-instant.ts";
import { requireOptions } from "../errors/require-options.ts";
import type { Runtime } from "../model/runtime.ts";
import type { ClosedStatus } from "../model/run.ts";
import { realRuntime } from "../runtime/real-runtime.ts";
import type { StorageBackend } from "../storage/backend.ts";
import type { PurgeRequest, StorageStats } from "../storage/operations.ts";
import { ClosedRuns } from "./closed-runs.ts";
import { signalData, StoredRunHandle, type HandleEnvironment, type RunHandle } from "./handle.ts";
import { listedRun, type ListedRun, type ListFilter, type ListPage, requireStatuses, runQuery } from "./list.ts";
import type { StartOptions } from "./start.ts";
import { type Start, Starts } from "./starts.ts";

/** What a client works with. Everything but `storage` has a default. It has no logger: whatever it has to say, it throws. */
export interface ClientOptions {
  /** Closed by whoever made it. */
  readonly storage: StorageBackend;
  /** The codec that the workers use. Default: JSON, with tags for Date, Map and others. */
  readonly codec?: Codec;
  /** Time and randomness, for tests. */
  readonly runtime?: Runtime;
}

/** Which runs to delete. */
export interface PurgeOptions {
  readonly closedBefore: Date;
  /** Default: whatever they ended as. */
  readonly status?: ClosedStatus | readonly ClosedStatus[];
}

/** Starts runs and reads them. Needs no worker in its process. */
export interface Client {
  /**
   * Starts a run. Repeating a start with the same `id` or `idempotencyKey` and input answers the same run, also when it has ended.
   * @throws UsageError `run-exists` (other input), `invalid-input`, `invalid-argument`, `not-serializable`, `payload-too-large`,
   * `unknown-workflow`; `unsupported` for a `tx` that the storage cannot join
   */
  start<Input, Output, State>(
    definition: Workflow<Input, Output, State>,
    input: Input,
    options?: StartOptions,
  ): Promise<RunHandle<Output, State>>;
  /**
   * Starts many runs in few transactions. Each start stands alone: the first refusal is thrown after all others were done. With `tx`,
   * an open transaction of yours, all are made in it: see {@link StartOptions.tx}.
   */
  startMany<Input, Output, State>(
    starts: readonly Start<Input, Output, State>[],
    options?: Pick<StartOptions, "tx">,
  ): Promise<readonly RunHandle<Output, State>[]>;
  /**
   * Starts a run if it is not there and sends it a signal, both in `tx` if there is one; needs an `id` or an `idempotencyKey` to make
   * sense.
   */
  signalWithStart<Input, Output, State, Sent>(
    definition: Workflow<Input, Output, State>,
    input: Input,
    signal: Signal<Sent, unknown>,
    payload: Sent,
    options?: StartOptions & { readonly signalId?: string },
  ): Promise<RunHandle<Output, State>>;
  /**
   * A handle to a run that is there already; the definition gives it its types. Reads nothing.
   * @throws UsageError `invalid-argument` for what cannot be an id
   */
  handle<Input = unknown, Output = unknown, State = unknown>(
    runId: string,
    definition?: Workflow<Input, Output, State>,
  ): RunHandle<Output, State>;
  /**
   * One page of runs, newest first.
   * @throws UsageError `invalid-argument`
   */
  list(
    filter?: ListFilter,
    page?: ListPage,
  ): Promise<{
    readonly runs: readonly ListedRun[];
    /** For the next page; `null` at the end. */
    readonly cursor: string | null;
  }>;
  /**
   * Deletes runs that closed before a time (and at least an hour ago), with all that they left. Answers their number.
   * @throws UsageError `invalid-argument`
   */
  purge(options: PurgeOptions): Promise<number>;
  /** How many runs and tasks there are. Times in it are epoch ms of the storage's clock. */
  stats(): Promise<StorageStats>;
  /** Stops listening. The storage stays open. */
  close(): Promise<void>;
}

/**
 * Makes a client. Nothing happens before its first use, which sets the storage up.
 * @throws UsageError `invalid-argument` for a bad or unknown option
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
  readonly #starts: Starts;

  constructor(options: ClientOptions) {
    requireOptions(options, "createClient", { storage: true, codec: true, runtime: true });
    const { storage, codec = jsonCodec, runtime = realRuntime } = options;
    this.#access = accessTo(storage, runtime);
    this.#environment = {
      access: this.#access,
      codec: boundedCodec(codec, storage),
      closed: new ClosedRuns(this.#access),
    };
    this.#starts = new Starts(this.#environment);
  }

  async start<Input, Output, State>(
    definition: Workflow<Input, Output, State>,
    input: Input,
    options: StartOptions = {},
  ): Promise<RunHandle<Output, State>> {
    return (await this.#starts.one({ definition, input, options })) as RunHandle as RunHandle<Output, State>;
  }

  async startMany<Input, Output, State>(
    starts: readonly Start<Input, Output, State>[],
    options: Pick<StartOptions, "tx"> = {},
  ): Promise<readonly RunHandle<Output, State>[]> {
    requireOptions(options, "client.startMany", { tx: true });
    const { tx } = options;
    const handles = tx === undefined ? this.#starts.each(starts) : this.#starts.allIn(tx, starts);
    return (await handles) as readonly RunHandle[] as readonly RunHandle<Output, State>[];
  }

  async signalWithStart<Input, Output, State, Sent>(
    definition: Workflow<Input, Output, State>,
    input: Input,
    signal: Signal<Sent, unknown>,
    payload: Sent,
    options: StartOptions & { readonly signalId?: string } = {},
  ): Promise<RunHandle<Output, State>> {
    const { signalId, ...start } = options;
    const { tx } = start;
    // What is refused must not leave a run behind.
    await this.#access.readyFor(tx, "createRuns", "deliver");
    await signalData(this.#environment.codec, signal, payload);
    const handle = await this.start(definition, input, start);
    await handle.signal(signal, payload, { ...(signalId !== undefined && { id: signalId }), tx });
    return handle;
  }

  handle<Input, Output, State>(runId: string, _definition?: Workflow<Input, Output, State>): RunHandle<Output, State> {
    requireName(runId, "run id of client.handle");
    return new StoredRunHandle(this.#environment, runId) as RunHandle as RunHandle<Output, State>;
  }

  async list(filter: ListFilter = {}, page: ListPage = {}): ReturnType<Client["list"]> {
    const query = runQuery(filter, page);
    await this.#access.ready();
    const { items, cursor } = await this.#access.storage.listRuns(query);
    const now = this.#access.clock.latest();
    return { runs: items.map((run) => listedRun(run, now)), cursor };
  }

  async purge(options: PurgeOptions): Promise<number> {
    const { closedBefore, status } = purgeRequest(options);
    await this.#access.ready();
    const { limits } = this.#access.storage.info;
    for (let total = 0; ;) {
      const { purged, more } = await this.#access.storage.purgeRuns({
        closedBefore,
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
}

const CLOSED: readonly string[] = ["completed", "failed", "cancelled"] satisfies ClosedStatus[];

function purgeRequest(options: PurgeOptions): Pick<PurgeRequest, "closedBefore" | "status"> {
  requireOptions(options, "client.purge", { closedBefore: true, status: true });
  const { closedBefore, status } = options;
  return {
    closedBefore: requireInstant(closedBefore, "closedBefore of client.purge"),
    ...(status !== undefined && { status: requireStatuses(status, CLOSED, "client.purge") as readonly ClosedStatus[] }),
  };
}
