import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const program = join(import.meta.dirname, "..", "src", "main.ts");

/** The demo as a child process, the head of a process group as under a terminal, with a temporary folder of its own. */
export class DemoProcess {
  readonly #temporary = mkdtempSync(join(tmpdir(), "perdure-demo-test-"));
  readonly #child = spawn(process.execPath, ["--conditions=@perdure/source", program], {
    env: { ...process.env, TMPDIR: this.#temporary },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  readonly #ended = once(this.#child, "close") as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  output = "";
  errors = "";

  constructor() {
    this.#child.stdout.on("data", (chunk) => (this.output += String(chunk)));
    this.#child.stderr.on("data", (chunk) => (this.errors += String(chunk)));
  }

  /** Waits until it has printed something, and answers what that matched. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (this.#child.exitCode !== null)
        throw new Error(`The demo ended without printing ${pattern}: ${this.output}${this.errors}`);
      await pause(10);
    }
  }

  /** Sends a signal: to itself alone, or to its workers as well, as Ctrl-C does. */
  kill(signal: NodeJS.Signals, whom: "demo" | "group" = "demo"): void {
    process.kill(whom === "demo" ? this.#child.pid! : -this.#child.pid!, signal);
  }

  /** Its exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals> {
    const [code, signal] = await this.#ended;
    return code ?? signal!;
  }

  /** Process ids of the workers that it started. */
  get workers(): readonly number[] {
    return [...this.output.matchAll(/process (\d+) started/g)].map((match) => Number(match[1]));
  }

  /** What it has left in its temporary folder. */
  get leftFiles(): readonly string[] {
    return readdirSync(this.#temporary);
  }

  remove(): void {
    rmSync(this.#temporary, { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    // A process that has ended and was not waited for is dead, too.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
