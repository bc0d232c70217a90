import { constants } from "node:os";

/** A signal of the user's ended the command. */
export class Interrupted extends Error {
  /** What shells make of it. */
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(`Interrupted by ${signal}: no report is written.`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Is aborted by Ctrl-C, so that the command can close and remove what is open; the second one ends the process at once. */
export function interrupts(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const interrupted = new Interrupted(signal);
      if (controller.signal.aborted) process.exit(interrupted.exitCode);
      controller.abort(interrupted);
    });
  }
  return controller.signal;
}
