import type { ClaimedTask } from "../storage/task.ts";
import type { WorkerEnvironment } from "./environment.ts";
import type { Release } from "./release.ts";

/** Gives a task back as it is, for whoever is free. */
export async function handBack({ access, runtime }: WorkerEnvironment, task: ClaimedTask): Promise<Release> {
  const { claim } = task;
  const commitId = runtime.id();
  const wakeAt = access.clock.earliest();
  const { status } = await access.commit(
    task.kind === "activity"
      ? { kind: "activity", claim, commitId, next: { do: "release" } }
      : {
          kind: "workflow",
          claim,
          commitId,
          expectedSeq: task.lastSeq,
          events: [],
          ackInbox: task.inboxAcked,
          next: { do: "park", wakeAt },
        },
  );
  return status === "ok" || status === "duplicate" ? { to: "parked", wakeAt } : { to: "lost" };
}
