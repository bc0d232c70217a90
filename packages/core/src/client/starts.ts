import type { AnyWorkflow, Workflow } from "../define/workflow.ts";
import { UsageError } from "../errors/index.ts";
import type { CreateRunResult } from "../storage/run.ts";
import { type HandleEnvironment, StoredRunHandle } from "./handle.ts";
import { newRun, type StartOptions } from "./start.ts";

/** One of many starts. */
export interface Start<Input, Output, State> {
  readonly definition: Workflow<Input, Output, State>;
  readonly input: Input;
  /** A transaction is not one start's: it is given to `startMany` itself. */
  readonly options?: Omit<StartOptions, "tx">;
}

/** A start as it comes from code that no compiler has checked. */
interface AskedStart {
  readonly definition: AnyWorkflow | undefined;
  readonly input: unknown;
  readonly options: StartOptions;
}

/** Starts runs, by themselves or in a transaction of the caller's. */
export class Starts {
  readonly #environment: HandleEnvironment;

  constructor(environment: HandleEnvironment) {
    this.#environment = environment;
  }

  async one(start: AskedStart): Promise<StoredRunHandle> {
    const { access, codec } = this.#environment;
    const tx = (start.options as StartOptions | null)?.tx;
    await access.readyFor(tx, "createRuns");
    const run = await newRun(access, codec, start.definition, start.input, start.options);
    if (tx === undefined) return this.#handle(await access.create(run));
    const [result] = await access.createIn(tx, [run]);
    return this.#handle(result!);
  }

  /** Each stands alone: the first refusal is thrown after all others were done. */
  async each(starts: unknown): Promise<readonly StoredRunHandle[]> {
    const outcomes = await Promise.allSettled(requireStarts(starts).map((start) => this.one(start)));
    return outcomes.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    });
  }

  /** Nothing is written when one of them is malformed. */
  async allIn(tx: unknown, starts: unknown): Promise<readonly StoredRunHandle[]> {
    const { access, codec } = this.#environment;
    const asked = requireStarts(starts);
    await access.readyFor(tx, "createRuns");
    const runs = await Promise.all(
      asked.map(({ definition, input, options }) => newRun(access, codec, definition, input, options)),
    );
    const { batch } = access.storage.info.limits;
    const handles: StoredRunHandle[] = [];
    for (let at = 0; at < runs.length; at += batch) {
      const results = await access.createIn(tx, runs.slice(at, at + batch));
      handles.push(...results.map((result) => this.#handle(result)));
    }
    return handles;
  }

  #handle({ status, run }: CreateRunResult): StoredRunHandle {
    if (status !== "conflict") return new StoredRunHandle(this.#environment, run.runId, run.incarnation);
    throw new UsageError(
      "run-exists",
      `Run "${run.runId}" of workflow "${run.workflow}" was started with another workflow or input. Use another id or idempotency key.`,
      { details: { runId: run.runId } },
    );
  }
}

function requireStarts(starts: unknown): readonly AskedStart[] {
  if (!Array.isArray(starts)) {
    throw new UsageError(
      "invalid-argument",
      "client.startMany needs a list of starts. Pass [{ definition, input, options }, …].",
    );
  }
  return (starts as readonly (Partial<AskedStart> | undefined)[]).map((start) => {
    const { definition, input, options = {} } = start ?? {};
    if ((options as StartOptions | null)?.tx === undefined) return { definition, input, options };
    throw new UsageError(
      "invalid-argument",
      "client.startMany got `tx` with one of its starts. Pass it as startMany(starts, { tx }): all are made in one transaction, or none.",
    );
  });
}
