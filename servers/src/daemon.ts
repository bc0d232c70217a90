import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sandbox } from "./sandbox.ts";

/** A server of a test's own, which it may treat badly. */
export interface TestServer {
  /** Connects as its administrator. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Everything that it stores. */
  readonly folder: string;
  /** SIGKILL: nothing is finished or closed any more. What it stored stays. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it on its old port, with what it stored; ends it in order before if it runs. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. That happens when this process ends, too, whichever way it does. */
  stop(): Promise<void>;
}

/** What is to be started. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly url: string;
  /** The signal that ends it in order, without waiting for its clients. */
  readonly end: NodeJS.Signals;
  /** Rejects as long as it does not answer. */
  readonly greet: () => Promise<void>;
}

const PATIENCE_MS = 60_000;
/** What a killed server held may stay held for a moment: its port, its shared memory. */
const HELD_MS = 15_000;

export class Daemon implements TestServer {
  readonly #sandbox: Sandbox;
  readonly #program: Program;
  #process: ChildProcess | undefined;

  private constructor(sandbox: Sandbox, program: Program) {
    this.#sandbox = sandbox;
    this.#program = program;
  }

  /** Resolves when it answers. Removes the sandbox if it never does. */
  static async start(sandbox: Sandbox, prepare: () => Promise<Program>): Promise<Daemon> {
    try {
      const daemon = new Daemon(sandbox, await prepare());
      await daemon.restart();
      return daemon;
    } catch (error) {
      await sandbox.remove();
      throw error;
    }
  }

  get url(): string {
    return this.#program.url;
  }

  get host(): string {
    return new URL(this.url).hostname;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get folder(): string {
    return this.#sandbox.folder;
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async restart(): Promise<void> {
    await this.#end(this.#program.end);
    const before = this.#sandbox.log.length;
    const started = performance.now();
    const hasTime = (ms: number): boolean => performance.now() - started < ms;
    while (!(await this.#launch(() => hasTime(PATIENCE_MS)))) {
      const said = this.#sandbox.log.slice(before).trim().slice(-1_000);
      const held = /in use|lock file/.test(said) && hasTime(HELD_MS);
      if (!held) throw new Error(`${this.#program.command} does not answer. It wrote: ${said}`);
      await sleep(100);
    }
  }

  async stop(): Promise<void> {
    await this.#sandbox.remove();
  }

  /** Whether it answered before it ended or time ran out. */
  async #launch(hasTime: () => boolean): Promise<boolean> {
    const { command, args, greet } = this.#program;
    let runs = true;
    const child = this.#sandbox.spawn(command, args);
    child.once("exit", () => (runs = false)).once("error", () => (runs = false));
    this.#process = child;
    while (runs && hasTime()) {
      const answered = await greet().then(
        () => true,
        () => false,
      );
      // Somebody else may have answered on the port that it did not get.
      if (answered && runs) return true;
      await sleep(25);
    }
    await this.#end("SIGKILL");
    return false;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}
