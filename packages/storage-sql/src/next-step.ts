import type { Millis, NextStep } from "@perdure/core/storage";
import { query } from "./query.ts";
import { dropTasks } from "./activities.ts";
import { type Steps, write } from "./steps.ts";
import type { TaskRow } from "./tasks.ts";
import { type Turn, wake } from "./turn.ts";

/** Writes a workflow task as a commit leaves it, and what becomes of it. All but `hold` end the claim (I6). */
export function* takeStep(turn: Turn, task: TaskRow, next: NextStep): Steps<void> {
  const { run, last_seq: lastSeq, commit_id: commitId, inbox_acked: acked, closed } = task;
  switch (next.do) {
    case "hold":
      yield* write(holdTask, { run, lastSeq, commitId, acked, closed });
      if (task.blocked !== null) yield* write(forgetBlock, { run });
      return;
    case "park": {
      // I11: decided in the same transaction as the park.
      const isUnread = task.inbox_last > acked;
      const visibleAt = isUnread ? Math.min(next.wakeAt ?? turn.now, turn.now) : next.wakeAt;
      yield* write(releaseTask, { run, lastSeq, commitId, acked, closed, visibleAt, deliveries: 0, blocked: null });
      return yield* wakeIfReady(turn, task, visibleAt);
    }
    case "block": {
      const { until: visibleAt, reason: blocked } = next;
      const { deliveries } = task;
      yield* write(releaseTask, { run, lastSeq, commitId, acked, closed, visibleAt, deliveries, blocked });
      return yield* wakeIfReady(turn, task, visibleAt);
    }
    case "done":
      return yield* dropTasks(run);
    default:
      next satisfies never;
  }
}

function* wakeIfReady(turn: Turn, task: TaskRow, visibleAt: Millis | null): Steps<void> {
  if (visibleAt === null || visibleAt > turn.now) return;
  wake(turn, "queue", (yield* turn.lanes.byNo(task.lane)).queue);
}

interface TaskAfter {
  run: number;
  lastSeq: number;
  commitId: string | null;
  acked: number;
  closed: 0 | 1;
}

/** Changes no column of an index. */
const holdTask = query((db, args: TaskAfter) =>
  db
    .updateTable("perdure_tasks")
    .set({
      last_seq: args.lastSeq,
      commit_id: args.commitId,
      inbox_acked: args.acked,
      closed: args.closed,
      deliveries: 0,
    })
    .where("run", "=", args.run)
    .where("seq", "=", 0),
);

const forgetBlock = query((db, args: { run: number }) =>
  db.updateTable("perdure_tasks").set({ blocked: null }).where("run", "=", args.run).where("seq", "=", 0),
);

const releaseTask = query(
  (db, args: TaskAfter & { visibleAt: Millis | null; deliveries: number; blocked: string | null }) =>
    db
      .updateTable("perdure_tasks")
      .set({
        last_seq: args.lastSeq,
        commit_id: args.commitId,
        inbox_acked: args.acked,
        closed: args.closed,
        deliveries: args.deliveries,
        blocked: args.blocked,
        visible_at: args.visibleAt,
        instance: null,
        worker: null,
      })
      .where("run", "=", args.run)
      .where("seq", "=", 0),
);
