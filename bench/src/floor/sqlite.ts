import Database from "better-sqlite3";
import type { FloorLoad } from "./floor-load.ts";
import { randomId } from "./random-id.ts";
import { sqliteStatements, type Statements } from "./sqlite-statements.ts";

/** A run that is worked on: the key of its records, its fencing token, and the head of its history. */
interface Held {
  readonly no: number;
  readonly epoch: number;
  seq: number;
  readonly input: number;
}

const LEASE_MS = 15_000;

/**
 * W1 by prepared statements alone, on the tables that the adapter made: a claim of a batch, then a transaction for each activity of
 * the whole batch, the last of which closes the runs. As durable as the adapter.
 */
export function sqliteFloor(place: string, { runs, activities, batch }: FloorLoad, started: () => void): void {
  const database = new Database(place);
  try {
    database.pragma("journal_mode = wal");
    database.pragma("synchronous = full");
    const statements = sqliteStatements(database);
    const claim = database.transaction(() => claimBatch(statements, batch));
    const commit = database.transaction((held: readonly Held[], activity: number) => {
      for (const run of held) commitActivity(statements, run, activity, activity === activities);
    });
    started();
    for (let done = 0; done < runs;) {
      const held = claim.immediate();
      if (held.length === 0) throw new Error(`The floor found ${done} of ${runs} runs.`);
      for (let activity = 1; activity <= activities; activity++) commit.immediate(held, activity);
      done += held.length;
    }
  } finally {
    database.close();
  }
}

function claimBatch({ lane, ready, lease, header, events }: Statements, limit: number): Held[] {
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
  const output = '{"ok":true,"value":42}';
  const data = `{"activity":"noop","attempt":1,"input":${run.input + activity - 1},"output":${output}}`;
  append.run(no, ++run.seq, "ACTIVITY_COMPLETED", activity, now, data);
  if (isLast) {
    append.run(no, ++run.seq, "WORKFLOW_COMPLETED", null, now, `{"output":${output}}`);
    close.run(output, now, run.seq, commitId, no);
  }
  const { changes } = isLast ? drop.run(no, epoch, head) : hold.run(run.seq, commitId, no, epoch, head);
  if (changes !== 1) throw new Error("A write of the floor was refused.");
}
