import type { ClientBase } from "pg";

/**
 * Every statement is written so that an index answers it, and is planned once: a plan that was made while a table was small must
 * not stay when it has grown.
 */
const PLANS = ["plan_cache_mode = force_generic_plan"].concat(
  ["seqscan", "hashjoin", "mergejoin", "bitmapscan"].map((name) => `enable_${name} = off`),
  // Nothing of ours is worth a second process, nor a compiler.
  "max_parallel_workers_per_gather = 0",
  "jit = off",
);

/** Only what nobody has set otherwise. */
const DEFAULTS = [
  // A client that has gone without a word must not keep rows locked for longer than a lease.
  ["idle_in_transaction_session_timeout", "0", "2s"],
  // What was acknowledged is durable.
  ["synchronous_commit", "off", "on"],
] as const;

const PREPARE = [
  // A statement by itself is a transaction, too.
  "set default_transaction_isolation = 'read committed'",
  ...PLANS.map((setting) => `set ${setting}`),
  ...DEFAULTS.map(
    ([name, from, to]) => `select set_config('${name}', '${to}', false) where current_setting('${name}') = '${from}'`,
  ),
].join("; ");

/** Sets up a session that is only ours. */
export async function prepareSession(client: ClientBase): Promise<void> {
  await client.query(PREPARE);
}
