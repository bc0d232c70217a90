import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.resolve("./worker.ts"));

/** Where a worker is in the transaction of an activity. */
export type Moment = "begun" | "before the commit" | "after the commit";

type Ending = [code: number | null, signal: NodeJS.Signals | null];

/** A worker as a child process, with this process's Node and flags. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ending>;
  #begun = 0;

  /** @param diesAt there it gets SIGKILL, and no chance to tidy up */
  constructor(kind: string, url: string, name: string, diesAt?: Moment) {
    const args = diesAt === undefined ? [kind, name] : [kind, name, diesAt];
    // What others can see of a process is no place for an URL, which may have a password in it.
    this.#child = fork(program, args, { env: { ...process.env, SHOP_URL: url } });
    this.#child.on("message", (moment: Moment) => {
      if (moment === "begun") this.#begun += 1;
    });
    this.#ended = once(this.#child, "exit") as Promise<Ending>;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** How many transactions of activities it has begun. */
  get begun(): number {
    return this.#begun;
  }

  /** Resolves when it was killed; rejects when it has ended in another way. */
  async killed(): Promise<void> {
    const [code, signal] = await this.#ended;
    if (signal !== "SIGKILL") throw new Error(`Worker ${this.pid} was to be killed, and ended with ${signal ?? code}.`);
  }

  /** Rejects when it ends. */
  async unexpected(): Promise<never> {
    const [code, signal] = await this.#ended;
    throw new Error(`Worker ${this.pid} ended by itself (${signal ?? `exit code ${code}`}).`);
  }

  /** Asks it to finish what it holds; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#ended;
  }

  /** SIGKILL, without waiting: for a process that is about to exit itself. */
  killNow(): void {
    this.#child.kill("SIGKILL");
  }
}
