import Database from "better-sqlite3";
import type { Floor } from "./floor-load.ts";
import { activityData, CLOSED_DATA, type Held, LEASE_MS, OUTPUT } from "./held.ts";
import { randomId } from "./random-id.ts";
import { sqliteStatements, type Statements } from "./sqlite-statements.ts";
import { requireAll, workOff } from "./work-off.ts";

export const sqliteFloor: Floor = async (place, load, started) => {
  const database = new Database(place);
  try {
    database.pragma("journal_mode = wal");
    database.pragma("synchronous = full");
    const statements = sqliteStatements(database);
    const claim = database.transaction((limit: number) => claimBatch(statements, limit));
    const commit = database.transaction((held: readonly Held[], activity: number, isLast: boolean) => {
      for (const run of held) commitActivity(statements, run, activity, isLast);
    });
    started();
    await workOff(
      {
        claim: (limit) => claim.immediate(limit),
        commit: (held, activity, isLast) => commit.immediate(held, activity, isLast),
      },
      load,
    );
  } finally {
    database.close();
  }
};

function claimBatch({ lane, ready, lease, header, events }: Statements, limit: number): readonly Held[] {
  const now = Date.now();
  return ready.all(lane, now, limit).map(({ run: no, epoch, last_seq: seq }) => {
    lease.run(epoch + 1, now + LEASE_MS, no);
    const input = Number(header.get(no)!.input);
    events.all(no);
    return { no, epoch: epoch + 1, seq, input };
  });
}

/** The same events as the engine's. A head that has moved refuses the write. */
function commitActivity({ append, hold, close, drop }: Statements, run: Held, activity: number, isLast: boolean): void {
  const { no, epoch, seq: head } = run;
  const now = Date.now();
  const commitId = randomId();
  append.run(no, ++run.seq, "ACTIVITY_COMPLETED", activity, now, activityData(run, activity));
  if (isLast) {
    append.run(no, ++run.seq, "WORKFLOW_COMPLETED", null, now, CLOSED_DATA);
    close.run(OUTPUT, now, run.seq, commitId, no);
  }
  const { changes } = isLast ? drop.run(no, epoch, head) : hold.run(run.seq, commitId, no, epoch, head);
  requireAll(changes, [run]);
}
