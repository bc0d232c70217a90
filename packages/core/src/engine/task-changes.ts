import type { Seq, TaskId } from "../model/ids.ts";
import type { WorkflowCommit } from "../storage/commit.ts";
import type { NewActivityTask } from "../storage/task.ts";

type Change = { readonly seq: Seq } & ({ readonly schedule: NewActivityTask } | { readonly cancel: TaskId });

/** Activity tasks to be created or deleted: each in the very commit that has the event which says so. */
export class TaskChanges {
  #changes: Change[] = [];
  readonly #bytes = new Map<Seq, number>();

  get isEmpty(): boolean {
    return this.#changes.length === 0;
  }

  /** What the task takes that the event at `seq` creates; 0: it creates none. */
  bytesAt(seq: Seq): number {
    return this.#bytes.get(seq) ?? 0;
  }

  schedule(seq: Seq, task: NewActivityTask): void {
    this.#bytes.set(seq, Buffer.byteLength(task.input) + Buffer.byteLength(task.details ?? ""));
    this.#changes.push({ seq, schedule: task });
  }

  cancel(seq: Seq, taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) this.#changes.push({ seq, cancel: taskId });
  }

  /** Takes those whose event stands at `seq` or before. */
  take(seq: Seq): Pick<WorkflowCommit, "schedule" | "cancel"> {
    const taken = this.#changes.filter((change) => change.seq <= seq);
    this.#changes = this.#changes.filter((change) => change.seq > seq);
    for (const change of taken) this.#bytes.delete(change.seq);
    const schedule = taken.flatMap((change) => ("schedule" in change ? [change.schedule] : []));
    const cancel = taken.flatMap((change) => ("cancel" in change ? [change.cancel] : []));
    return { ...(schedule.length > 0 && { schedule }), ...(cancel.length > 0 && { cancel }) };
  }
}
