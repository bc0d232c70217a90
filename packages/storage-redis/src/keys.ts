/**
 * The names of all keys. Those of one shard have its prefix P in front, whose braces put them all into one slot of a Cluster; nothing that
 * follows can move a key, as only the first braces count. The scripts in `lua/` are given P and add the short names:
 *
 * | key | holds |
 * |---|---|
 * | `r:<runId>` | hash: a run and its workflow task (fields: lua/lib/task.lua) |
 * | `e:<runId>` | list: its events, seq n at index n − 1 |
 * | `m:<runId>` | list: its unread messages |
 * | `d:<runId>`, `dz:<runId>` | hash: remembered dedupe ids · zset: the acknowledged ones of them, by the time of the ack |
 * | `ra:<runId>` | set: its activity tasks |
 * | `rc:<runId>`, `rz:<runId>` | hash: completed activity tasks → commit id · zset: the same by time |
 * | `rk:<runId>` | set: cache keys that it has written |
 * | `t:<taskId>` | hash: an activity task |
 * | `v:`, `l:`, `b:` + lane + priority | zsets of task ids: those that wait, by readyAt · held, by the end of the lease · blocked, by the end of the block |
 * | `lanes` | hash: lane (kind, queue, name) → the priorities that its tasks have |
 * | `od`, `oq` | zsets: tasks of runs with a deadline, by the later of visibleAt and deadline · those of them that are due, by rank |
 * | `h:<instance>` | set: tasks that this start of a worker holds |
 * | `x:s:<status>`, `x:w:<workflow>`, `x:q:<queue>`, `x:p:<parent>`, `x:a:<attribute>`, `x:b` | zsets in byte order, for listing: createdAt in 15 digits, run id |
 * | `x:c` | zset: runs that are done, by closedAt |
 * | `c:<key>` | hash: a cache entry |
 * | `life` | hash: the run_id of the server that was met last, and what all epochs reach since |
 * | `clock` | the latest time that was handed out |
 * | `discarded` | number of messages that closed runs have discarded |
 */
export function shardPrefix(prefix: string, namespace: string, shard: number): string {
  return `${prefix}{${encodeURIComponent(namespace)}:${shard}}:`;
}

/** Hash: version of the schema, number of shards. One for all namespaces. */
export function metaKey(prefix: string): string {
  return `${prefix}meta`;
}

/** The channel of a namespace's hints. */
export function hintChannel(prefix: string, namespace: string): string {
  return `${prefix}hints:${encodeURIComponent(namespace)}`;
}
