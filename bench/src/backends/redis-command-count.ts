import { type Command, Redis } from "ioredis";

type Send = (this: unknown, command: Command, ...rest: unknown[]) => unknown;

/** What prepares a connection for its work, and asks whether it may. */
const SET_UP: ReadonlySet<string> = new Set(["hello", "auth", "select", "client", "info", "config", "subscribe"]);

/**
 * Counts every command that ioredis gives to a server in this process from now on, without those that set a connection up. A script is
 * one, whatever it does.
 */
export function countRedisCommands(): () => number {
  let count = 0;
  // One that waits for its connection is sent twice.
  const seen = new WeakSet<Command>();
  const redis = Redis.prototype as unknown as { sendCommand: Send };
  const { sendCommand } = redis;
  redis.sendCommand = function counted(this: unknown, command, ...rest) {
    if (!seen.has(command) && !SET_UP.has(command.name)) count++;
    seen.add(command);
    return sendCommand.call(this, command, ...rest);
  };
  return () => count;
}
