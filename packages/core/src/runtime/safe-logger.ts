import { UsageError } from "../errors/index.ts";
import type { LogFields, Logger } from "../model/logger.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/**
 * A logger that must not throw, and does not: no log line is worth a run.
 * @throws UsageError `invalid-argument` for what is no logger
 */
export function safeLogger(logger: Logger): Logger {
  if (LEVELS.some((level) => typeof (logger as Logger | null)?.[level] !== "function")) {
    throw new UsageError(
      "invalid-argument",
      "A logger must have the functions debug, info, warn and error. Leave it out for the console, or pass one that has them.",
    );
  }
  const write = (level: keyof Logger) => (message: string, fields?: LogFields) => {
    // Whom should it be told to?
    try {
      const answer: unknown = logger[level](message, fields);
      if (answer instanceof Promise) answer.catch(() => {});
    } catch {}
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
