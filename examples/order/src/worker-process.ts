import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.resolve("./worker.ts"));

export interface WorkerProcess {
  readonly pid: number;
  /** Rejects when the process ends without being asked to. */
  readonly unexpected: Promise<never>;
  /** Asks it to finish what it holds; resolves when it has ended. */
  stop(): Promise<void>;
  /** SIGKILL: it gets no chance to tidy up. Resolves when it has ended. */
  kill(): Promise<void>;
  /** {@link kill}, without waiting: for a process that is about to exit itself. */
  killNow(): void;
}

/** Starts the worker as a child process with this process's Node and flags. */
export function startWorker(database: string, ledger: string): WorkerProcess {
  const child = fork(program, [database], { env: { ...process.env, ORDER_LEDGER: ledger } });
  let asked = false;
  const unexpected = ended(child).then(([code, signal]) => {
    if (asked) return new Promise<never>(() => {});
    throw new Error(`The worker ended by itself (${signal ?? `exit code ${code}`}).`);
  });
  unexpected.catch(() => {}); // Whoever waits for something races it with this.

  async function end(signal: NodeJS.Signals): Promise<void> {
    asked = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await ended(child);
  }
  return {
    pid: child.pid!,
    unexpected,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    killNow: () => void child.kill("SIGKILL"),
  };
}

function ended(child: ChildProcess): Promise<[code: number | null, signal: NodeJS.Signals | null]> {
  return once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
}
