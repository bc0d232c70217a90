import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Account } from "./account.ts";

const keeper = fileURLToPath(new URL("keeper.sh", import.meta.url));

/**
 * A temporary folder and at most one process that works in it. Neither keeps this process alive, and both are gone soon
 * after it has ended, even by SIGKILL: a shell waits for that.
 */
export class Sandbox {
  readonly folder: string;
  readonly #account: Account | undefined;
  readonly #keeper: ChildProcess;

  /** @param end the signal that ends the process that works here, at once and in order */
  constructor(name: string, account: Account | undefined, end: NodeJS.Signals) {
    this.folder = mkdtempSync(join(tmpdir(), `perdure-${name}-`));
    this.#account = account;
    writeFileSync(join(this.folder, "log"), "");
    if (account) chownSync(this.folder, account.uid, account.gid);
    const args = [keeper, this.folder, end.slice("SIG".length)];
    this.#keeper = spawn("/bin/sh", args, { cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"] });
    this.#keeper.on("error", () => rmSync(this.folder, { recursive: true, force: true }));
    this.#keeper.unref();
    const input = this.#keeper.stdin as Socket;
    input.on("error", () => {}).unref();
  }

  /** Everything that its processes wrote, until now. */
  get log(): string {
    return readFileSync(join(this.folder, "log"), "utf8");
  }

  /** Starts the process that works here now. */
  spawn(command: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.folder, "log"), "a");
    try {
      const stdio = ["ignore", log, log] as const;
      const child = spawn(command, args, { cwd: this.folder, detached: true, stdio: [...stdio], ...this.#account });
      child.unref();
      child.once("exit", () => this.#tell("-"));
      this.#tell(String(child.pid ?? "-"));
      return child;
    } finally {
      closeSync(log);
    }
  }

  /**
   * Runs a command to its end.
   * @throws if it failed, with the last that it wrote
   */
  async run(command: string, args: readonly string[]): Promise<void> {
    const child = this.spawn(command, args);
    child.ref();
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    if (code !== 0) throw new Error(`${command} ended with ${code ?? signal}: ${this.log.trim().slice(-1_000)}`);
  }

  /** Ends the process, and removes the folder with all that it holds. */
  async remove(): Promise<void> {
    this.#keeper.ref();
    const exited = this.#keeper.exitCode === null ? once(this.#keeper, "exit") : undefined;
    this.#keeper.stdin?.end();
    await exited;
  }

  #tell(process: string): void {
    if (this.#keeper.stdin?.writable) this.#keeper.stdin.write(`${process}\n`);
  }
}
