import { fork } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import type { Did } from "./children/users-process.ts";
import type { UsersPlaces } from "./users-place.ts";

/** Another process at a user's place: it works there, or has a transaction open. */
export interface UsersChild {
  /** Whether it has said that it has done something. */
  hasDone(what: Did["did"], whom?: string): boolean;
  /** Waits for that. */
  did(what: Did["did"], whom?: string): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Starts a process, which does not outlive the test; resolves when it is ready. */
export async function usersChild(places: UsersPlaces, place: string, role: "work" | "open"): Promise<UsersChild> {
  const program = new URL("children/users-process.ts", import.meta.url);
  const child = fork(program, [places.module.href, place, role], { execArgv: ["--conditions=@perdure/source"] });
  const told: Did[] = [];
  child.on("message", (message: Did) => told.push(message));
  const exit = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exit;
  };
  onTestFinished(kill);
  const hasDone: UsersChild["hasDone"] = (what, whom) =>
    told.some(({ did, of }) => did === what && (whom === undefined || of === whom));
  const ended = exit.then(([code]) => Promise.reject(new Error(`It ended: ${code}`)));
  ended.catch(() => {});
  const did: UsersChild["did"] = async (what, whom) => {
    while (!hasDone(what, whom)) await Promise.race([once(child, "message"), ended]);
  };
  await did("begun");
  return { hasDone, did, kill };
}
