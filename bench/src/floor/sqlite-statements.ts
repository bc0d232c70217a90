import type Database from "better-sqlite3";
import { randomId } from "./random-id.ts";

type Statement<Row = unknown> = Database.Statement<unknown[], Row>;

/** What the floor reads and writes. */
export interface Statements {
  /** The one lane that W1 fills. */
  readonly lane: number;
  readonly ready: Statement<{ readonly run: number; readonly epoch: number; readonly last_seq: number }>;
  readonly lease: Statement;
  readonly header: Statement<{ readonly input: string }>;
  readonly events: Statement;
  readonly append: Statement;
  readonly hold: Statement;
  readonly close: Statement;
  readonly drop: Statement;
}

export function sqliteStatements(database: Database.Database): Statements {
  const prepare = <Row = unknown>(sql: string): Statement<Row> => database.prepare<unknown[], Row>(sql);
  return {
    lane: prepare<{ no: number }>("select no from perdure_lanes").get()!.no,
    ready: prepare(`
      select run, epoch, last_seq, deliveries, inbox_last, inbox_acked, commit_id from perdure_tasks
      where lane = ? and visible_at <= ? order by visible_at, run, seq limit ?`),
    lease: prepare(`
      update perdure_tasks
      set epoch = ?, deliveries = deliveries + 1, visible_at = ?, instance = '${randomId()}', worker = 'floor'
      where run = ? and seq = 0`),
    header: prepare(`
      select id, incarnation, workflow, version, queue, priority, parent_id, input, created_at, deadline_at, base_seq
      from perdure_runs where no = ?`),
    events: prepare("select seq, type, command, at, data from perdure_events where run = ? order by seq"),
    append: prepare("insert into perdure_events (run, seq, type, command, at, data) values (?, ?, ?, ?, ?, ?)"),
    hold: prepare(`
      update perdure_tasks set last_seq = ?, commit_id = ?, inbox_acked = 0, deliveries = 0
      where run = ? and seq = 0 and epoch = ? and last_seq = ?`),
    close: prepare(`
      update perdure_runs set status = 'completed', output = ?, closed_at = ?, last_seq = ?, commit_id = ?
      where no = ?`),
    drop: prepare("delete from perdure_tasks where run = ? and seq = 0 and epoch = ? and last_seq = ?"),
  };
}
