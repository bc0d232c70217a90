import type { LogFields, Logger } from "../model/logger.ts";
import { consoleLogger } from "../runtime/console-logger.ts";

/** What a test has happen on purpose, and asserts itself. */
const EXPECTED: ReadonlySet<unknown> = new Set(["attempt-failed", "run-failed"]);

/** The console, without a line for every failure of an attempt or a run. */
export const quietLogger: Logger = {
  ...consoleLogger,
  warn(message: string, fields?: LogFields) {
    if (!EXPECTED.has(fields?.["code"])) consoleLogger.warn(message, fields);
  },
};
