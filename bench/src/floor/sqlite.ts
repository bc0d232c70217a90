import { randomBytes } from "node:crypto";
import Database from "better-sqlite3";
import type { FloorLoad } from "./floor-load.ts";

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
export function sqliteFloor(place: string, { runs, activities, batch }: FloorLoad): number {
  const database = new Database(place);
  try {
    database.pragma("journal_mode = wal");
    database.pragma("synchronous = full");
    const statements = new Statements(database);
    const from = performance.now();
    for (let done = 0; done < runs; ) {
      const held = statements.claim(batch);
      for (let at = 1; at <= activities; at++) statements.commit(held, at, at === activities);
      done += held.length;
    }
    return performance.now() - from;
  } finally {
    database.close();
  }
}

class Statements {
  readonly claim: (limit: number) => Held[];
  readonly commit: (held: readonly Held[], activity: number, isLast: boolean) => void;
  readonly #lane: number;
  readonly #instance = randomId();
  readonly #database: Database.Database;
  readonly #ready;
  readonly #lease;
  readonly #header;
  readonly #events;
  readonly #append;
  readonly #hold;
  readonly #close;
  readonly #drop;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#lane = this.#prepare<{ no: number }>("select no from perdure_lanes").get()!.no;
    this.#ready = this.#prepare<{ run: number; epoch: number; last_seq: number }>(
      "select run, epoch, last_seq, deliveries, inbox_last, inbox_acked, commit_id from perdure_tasks where lane = ? and visible_at <= ? order by visible_at, run limit ?",
    );
    this.#lease = this.#prepare(
      "update perdure_tasks set epoch = ?, deliveries = deliveries + 1, visible_at = ?, instance = ?, worker = 'floor' where run = ? and seq = 0",
    );
    this.#header = this.#prepare<{ input: string }>(
      "select id, incarnation, workflow, version, queue, priority, parent_id, input, created_at, deadline_at, base_seq from perdure_runs where no = ?",
    );
    this.#events = this.#prepare("select seq, type, command, at, data from perdure_events where run = ? order by seq");
    this.#append = this.#prepare("insert into perdure_events (run, seq, type, command, at, data) values (?, ?, ?, ?, ?, ?)");
    this.#hold = this.#prepare(
      "update perdure_tasks set last_seq = ?, commit_id = ?, inbox_acked = 0, deliveries = 0 where run = ? and seq = 0 and epoch = ? and last_seq = ?",
    );
    this.#close = this.#prepare(
      "update perdure_runs set status = 'completed', output = ?, closed_at = ?, last_seq = ?, commit_id = ? where no = ?",
    );
    this.#drop = this.#prepare("delete from perdure_tasks where run = ? and seq = 0 and epoch = ? and last_seq = ?");
    this.claim = database.transaction((limit: number) => this.#claim(limit)).immediate;
    this.commit = database.transaction((held: readonly Held[], activity: number, isLast: boolean) => {
      for (const run of held) this.#commitOne(run, activity, isLast);
    }).immediate;
  }

  #claim(limit: number): Held[] {
    const now = Date.now();
    return this.#ready.all(this.#lane, now, limit).map(({ run: no, epoch, last_seq: seq }) => {
      this.#lease.run(epoch + 1, now + LEASE_MS, this.#instance, no);
      const input = Number(this.#header.get(no)!.input);
      this.#events.all(no);
      return { no, epoch: epoch + 1, seq, input };
    });
  }

  #commitOne(run: Held, activity: number, isLast: boolean): void {
    const { no, epoch, seq: head } = run;
    const now = Date.now();
    const commitId = randomId();
    const data = `{"activity":"noop","attempt":1,"input":${run.input + activity - 1},"output":{"ok":true,"value":42}}`;
    this.#append.run(no, ++run.seq, "ACTIVITY_COMPLETED", activity, now, data);
    if (!isLast) return fence(this.#hold.run(run.seq, commitId, no, epoch, head));
    const output = '{"ok":true,"value":42}';
    this.#append.run(no, ++run.seq, "WORKFLOW_COMPLETED", null, now, `{"output":${output}}`);
    this.#close.run(output, now, run.seq, commitId, no);
    fence(this.#drop.run(no, epoch, head));
  }

  #prepare<Row = unknown>(sql: string): Database.Statement<unknown[], Row> {
    return this.#database.prepare<unknown[], Row>(sql);
  }
}

function fence({ changes }: Database.RunResult): void {
  if (changes !== 1) throw new Error("A write of the floor was refused.");
}

let pool = "";

/** 22 characters, drawn in bulk: what a commit's id costs. */
function randomId(): string {
  if (pool.length < 22) pool = randomBytes(16 * 256).toString("base64url");
  const id = pool.slice(0, 22);
  pool = pool.slice(22);
  return id;
}
