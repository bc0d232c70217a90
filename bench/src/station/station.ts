import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Backend } from "../backends/backend.ts";
import type { TaskArgs, TaskName, TaskResult } from "../tasks/index.ts";
import type { Answer, Call } from "./message.ts";

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** A process that does tasks on a store. What is measured is measured in one, never in the process of the command line. */
export class Station {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #ending = false;

  /** @param onLost called when the process ends before {@link end} */
  constructor(backend: Backend, place: string, onLost: (error: Error) => void) {
    this.#child = fork(new URL("./process.ts", import.meta.url), [backend.name, place], {
      // What a worker logs must not stand among the results.
      stdio: ["ignore", 2, 2, "ipc"],
      // Taking the types out of the sources costs 30 MB, which users do not pay: it is done once, and not in what is measured.
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "perdure-bench-code") },
    });
    this.#child.on("message", (answer: Answer) => this.#answered(answer));
    const lost = (why: string): void => {
      if (!this.#ending) onLost(new Error(`A process of the benchmark was lost: ${why}.`));
    };
    this.#child.on("exit", (code, signal) => lost(signal ?? `code ${code}`));
    this.#child.on("error", ({ message }) => lost(message));
  }

  call<Name extends TaskName>(task: Name, args: TaskArgs<Name>): Promise<TaskResult<Name>> {
    return new Promise<TaskResult<Name>>((resolve, reject) => {
      const no = ++this.#calls;
      this.#waiting.set(no, { resolve, reject });
      const call: Call = { no, task, args };
      this.#child.send(call, (error) => {
        if (error !== null) this.abandon(error);
      });
    });
  }

  /** Fails all calls that are not answered. */
  abandon(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** Closes the store in this process and ends it. */
  async end(): Promise<void> {
    this.#ending = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    if (this.#child.connected) this.#child.disconnect();
    await exit;
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.no);
    this.#waiting.delete(answer.no);
    if ("error" in answer) waiting?.reject(new Error(`A process of the benchmark failed: ${answer.error}`));
    else waiting?.resolve(answer.result as never);
  }
}
