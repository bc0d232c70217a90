import type { LogFields, Logger } from "../model/logger.ts";

/** A logger that must not throw, and does not: no log line is worth a run. */
export function safeLogger(logger: Logger): Logger {
  const write = (level: keyof Logger) => (message: string, fields?: LogFields) => {
    // Whom should it be told to?
    try {
      const answer: unknown = logger[level](message, fields);
      if (answer instanceof Promise) answer.catch(() => {});
    } catch {}
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
