import type { LogFields, Logger } from "../model/logger.ts";

/** Writes to the console: for people on a terminal, one JSON object a line otherwise. `debug` is silent. */
export const consoleLogger: Logger = {
  debug() {},
  info: (message, fields) => write("info", message, fields),
  warn: (message, fields) => write("warn", message, fields),
  error: (message, fields) => write("error", message, fields),
};

function write(level: "info" | "warn" | "error", message: string, fields: LogFields = {}): void {
  const stream = level === "info" ? process.stdout : process.stderr;
  stream.write(
    `${stream.isTTY ? pretty(level, message, fields) : JSON.stringify({ level, time: new Date().toISOString(), message, ...plain(fields) })}\n`,
  );
}

function pretty(level: string, message: string, fields: LogFields): string {
  const facts = Object.entries(plain(fields)).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return [`perdure ${level}`, message, ...facts].join("  ");
}

/** Errors have nothing that JSON would write. */
function plain(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? (value.stack ?? value.message) : value,
    ]),
  );
}
