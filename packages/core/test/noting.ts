import { type TestedEnvironment, environment } from "./environment.ts";
import { intercepted } from "./intercepted.ts";
import { memory, virtualClock } from "../src/memory.ts";
import type { TaskCommit } from "../src/storage.ts";

/** A world in which all commits are noted. */
export function noting(options: {
  readonly workflows: Parameters<typeof environment>[0]["workflows"];
}): TestedEnvironment & {
  readonly commits: readonly TaskCommit[];
} {
  const clock = virtualClock();
  const commits: TaskCommit[] = [];
  const storage = intercepted(memory({ clock }), {
    commitTasks: (call, [batch]) => {
      commits.push(...batch);
      return call();
    },
  });
  return Object.assign(environment({ ...options, storage, clock }), { commits });
}
