/** What users of such systems expect to come out, live and after a recovery. Each is a story that cases of L2 play, by this tag. */
export const SCENARIOS = {
  S1: "The same activity twice with different inputs: each call has its own input and result.",
  S2: "The same activity twice with the same input: it is executed twice.",
  S3: "An activity fails once, then succeeds: the run completes, and attempt 2 is recorded.",
  S4: "Retries are exhausted: the workflow catches a typed failure (name, attempts, cause) and goes on to compensate.",
  S5: "An attempt that takes longer than its time-out is ended then, and tried again.",
  S6: "A worker is killed in the middle of an activity: another one resumes after the lease, and completed activities are not touched.",
  S7: "`0`, `''`, `false`, `null`, `[]` and `undefined` survive a recovery exactly.",
  S8: "Two workers, one run: every completion is recorded once.",
  S9: "A signal before the wait is kept, one after it wakes the run, one after the end is a clear error.",
  S10: "A hook is answered twice at once: one answer is accepted.",
  S11: "A signal or a hook does not come in time: the run wakes by itself.",
  S12: "A sleep across a restart: the run continues once, on time.",
  S13: "A sleep inside of `try` and `catch`: nothing is thrown to suspend the run, so nothing is swallowed.",
  S14: "Three activities side by side, one is retried: the others are not repeated, and results keep their order.",
  S15: "A run is cancelled while it is suspended: clean-up runs, the shielded part finishes, children are cancelled, and a late result changes nothing.",
  S16: "A child waits for a signal, and its parent gets its result; the failure of a child is typed.",
  S17: "A run continues as new three times: its handle answers the last result.",
  S18: "A schedule for 09:00 in Paris fires at 07:00 UTC in July and once with two schedulers; an overlap that is to be skipped is.",
  S19: "Code changes incompatibly: the run is blocked with an error that names both sides, and resumes after the fix.",
  S20: "Five runs with equal timestamps, two on a page: each is listed once.",
  S21: "A history of 10,000 events replays in linear time and bounded memory.",
  S22: "A worker without the workflow's code never takes or fails its runs.",
  S23: "A workflow kills its worker each time: it is poisoned after the limit, and the others are unharmed.",
  S24: "Two hundred callers with one key: one run.",
} as const satisfies Record<`S${number}`, string>;

/** Names one of the {@link SCENARIOS}. */
export type ScenarioTag = keyof typeof SCENARIOS;
