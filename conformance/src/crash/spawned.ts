import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const STDERR_KEPT = 4_000;

/** A child process of the lab. */
export class Spawned {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  #exit: Exit | null = null;
  #stderr = "";
  readonly #child: ChildProcess;

  /**
   * @param order what the process reads with `readOrder()`
   * @param before a module that it loads before all others
   */
  constructor(entry: URL, order: object, compileCache: string, before?: URL) {
    const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
    const first = before === undefined ? [] : ["--import", before.href];
    const args = [...execArguments(entry), ...first, fileURLToPath(entry), JSON.stringify(order)];
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.exited = new Promise((resolve) => {
      const end = (exit: Exit): void => resolve((this.#exit = exit));
      child.once("close", (code, signal) => end({ code, signal }));
      child.once("error", (error) => {
        this.#stderr += String(error);
        end({ code: -1, signal: null });
      });
    });
  }

  /** `null` while it runs. */
  get exit(): Exit | null {
    return this.#exit;
  }

  /** The last that it wrote to its error output. */
  get stderr(): string {
    return this.#stderr.trim();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it at once, stopped or not, and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
  }

  /** Waits for its end; `null` if it does not come in time. */
  async exitWithin(ms: number): Promise<Exit | null> {
    const late = new AbortController();
    try {
      return await Promise.race([this.exited, sleep(ms, null, { signal: late.signal })]);
    } finally {
      late.abort();
    }
  }
}

/** A child resolves modules as this process does; from sources, to sources. */
function execArguments(entry: URL): readonly string[] {
  const inherited = process.execArgv.filter((argument) => !argument.startsWith("--inspect"));
  const condition = "--conditions=@perdure/source";
  if (!entry.pathname.endsWith(".ts") || inherited.includes(condition)) return inherited;
  return [...inherited, condition];
}
