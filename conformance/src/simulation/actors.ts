import { type Client, type RunHandle, type Runtime, createClient, isPerdureError, signal } from "@perdure/core";
import type { StorageBackend } from "@perdure/core/storage";
import { check } from "../assert.ts";
import type { Random } from "../random.ts";
import type { Role } from "./cast.ts";
import { signalsOf } from "./expected.ts";
import type { interpreterOf } from "./interpreter.ts";

type Interpreter = ReturnType<typeof interpreterOf>;
type Handle = RunHandle<unknown[], Record<string, unknown>>;

interface ActorsOptions {
  readonly storage: StorageBackend;
  readonly runtime: Runtime;
  readonly random: Random;
  readonly interpreter: Interpreter;
}

/** How long a client waits before it repeats a call that was not answered. */
const AGAIN_MS = 50;

/** The clients of a world: they start its runs, send them signals, end some of them, and look at them. */
export class Actors {
  readonly client: Client;
  readonly #options: ActorsOptions;

  constructor(options: ActorsOptions) {
    this.#options = options;
    this.client = createClient({ storage: options.storage, runtime: options.runtime });
  }

  /** Plays all roles; resolves when nothing is left to do but to wait for the ends. @throws what no client should hear */
  async play(cast: readonly Role[], stormMs: number): Promise<void> {
    await Promise.all(cast.map((role) => this.#play(role, stormMs)));
  }

  /** Looks at a run as people do. Reads are judged by whoever sees the calls. */
  async look(runId: string): Promise<void> {
    const handle = this.client.handle(runId);
    const looks = [() => handle.describe(), () => handle.history(), () => handle.state(), () => this.client.list()];
    try {
      await this.#options.random.pick(looks)();
    } catch (error) {
      check(
        isPerdureError(error, "run-not-found") || isPerdureError(error, "unavailable"),
        `a client that looks at run "${runId}" gets an answer: ${String(error)}`,
      );
    }
  }

  async #play(role: Role, stormMs: number): Promise<void> {
    const { random, interpreter } = this.#options;
    const { runId, program, fate, startMs, timeoutMs } = role;
    const isLate = random.int(5) === 0;
    const options = {
      id: runId,
      ...(isLate && { startAt: random.int(5_000) }),
      ...(fate.endsWith("timed-out") && { timeout: timeoutMs }),
    };
    const start = (): Promise<Handle> => this.#insist(() => this.client.start(interpreter, program, options));
    await this.#wait(startMs);
    const handle = await start();
    if (random.int(3) === 0)
      check((await start()).incarnation === handle.incarnation, `a repeated start of run "${runId}" answers it (I15)`);
    await Promise.all([
      this.#end(role, handle),
      ...signalsOf(program).map(({ name, values }) => this.#signal(role, handle, name, values, stormMs)),
    ]);
  }

  /** Sends values one after the other, each until it is acknowledged; some, and older ones, more than once. */
  async #signal(role: Role, handle: Handle, name: string, values: readonly number[], stormMs: number): Promise<void> {
    const { random } = this.#options;
    for (const at of values.keys()) {
      await this.#wait(random.int(stormMs / (2 * values.length)));
      const sends = random.int(3) === 0 ? [at, random.int(at + 1)] : [at];
      for (const nth of sends) {
        await this.#unlessOver(role, () => handle.signal(signal<number>(name), values[nth]!, { id: `${name} ${nth}` }));
      }
    }
  }

  async #end(role: Role, handle: Handle): Promise<void> {
    const { fate, endMs } = role;
    await this.#wait(endMs);
    for (let times = this.#options.random.int(3) === 0 ? 2 : 1; times > 0; times--) {
      if (fate.endsWith("cancelled")) await this.#unlessOver(role, () => handle.cancel({ reason: "whim" }));
      if (fate.endsWith("terminated")) await this.#unlessOver(role, () => handle.terminate({ reason: "whim" }));
    }
  }

  /** Whoever may find a run over does not mind. */
  async #unlessOver({ fate }: Role, call: () => Promise<void>): Promise<void> {
    try {
      await this.#insist(call);
    } catch (error) {
      if (fate === "completed" || !isPerdureError(error, "run-closed")) throw error;
    }
  }

  /** Repeats a call while the storage is unavailable, as that error says to. */
  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        if (!isPerdureError(error, "unavailable")) throw error;
        await this.#wait(AGAIN_MS);
      }
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.runtime.after(ms, resolve));
  }
}
