/** Facts that belong to a log line, by name. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where log lines go: any logging library fits behind these four functions. They must not throw. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
