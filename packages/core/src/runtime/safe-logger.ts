import type { LogFields, Logger } from "../model/logger.ts";

/** A logger that must not throw, and does not: no log line is worth a run. */
export function safeLogger(logger: Logger): Logger {
  const write = (level: keyof Logger) => (message: string, fields?: LogFields) => {
    try {
      logger[level](message, fields);
    } catch {
      // Whom should it be told to?
    }
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
