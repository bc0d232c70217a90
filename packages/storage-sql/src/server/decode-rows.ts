/** Columns of our tables and answers that hold whole numbers. */
const WHOLE: ReadonlySet<string> = new Set([
  "position_",
  "now",
  "no",
  "ns",
  "run",
  "seq",
  "lane",
  "priority",
  "command",
  "at",
  "head",
  "epoch",
  "deliveries",
  "closed",
  "external",
  "attempt",
  "visible_at",
  "deadline_at",
  "overdue_at",
  "created_at",
  "closed_at",
  "expiresAt",
  "scheduledAt",
  "acked_at",
  "last_seq",
  "task_last_seq",
  "base_seq",
  "parent_seq",
  "inbox_last",
  "inbox_acked",
  "discarded",
  "is_done",
  "held",
  "workflow_lanes",
  "activity_lanes",
]);

/** Rows as our programs expect them, from a driver that was set up by somebody else: big numbers may be texts, texts may be bytes. */
export function decodeRows(rows: readonly object[]): readonly object[] {
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, decode(name, value)])));
}

function decode(name: string, value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString("utf8");
  return (WHOLE.has(name) || name.startsWith("head_")) && (typeof value === "string" || typeof value === "bigint")
    ? Number(value)
    : value;
}
