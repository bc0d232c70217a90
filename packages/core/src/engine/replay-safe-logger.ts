import type { LogFields, Logger } from "../model/logger.ts";
import type { Execution } from "./execution.ts";

/** The logger of workflow code: silent while it is replayed. */
export function replaySafeLogger(execution: Execution): Logger {
  const { run, environment } = execution;
  const write = (level: keyof Logger) => (message: string, fields?: LogFields) => {
    if (!execution.replaying)
      environment.logger[level](message, { workflow: run.workflow, runId: run.runId, ...fields });
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
