import fc from "fast-check";
import { ACTIVITIES, type ActivitySeq, RUNS, type RunName, type TaskChoice } from "./names.ts";
import type {
  CacheChoice,
  CallOperation,
  LeaseSteps,
  MessageChoice,
  NewRunChoice,
  Operation,
  OutcomeChoice,
  TurnChoice,
} from "./operation.ts";

/** What random operations may be about. What stands first in a choice is simplest: failures are shrunk towards it. */
interface Scope {
  readonly runs: readonly RunName[];
  readonly clients: number;
  /** Elements of one batch, and tasks of one claim. */
  readonly batch: number;
}

/** Steps from now. */
const steps = fc.constantFrom(0, 1, 2, -1);
const stepsOrNever = fc.constantFrom(null, 0, 1, 2);
const back = fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 2, 3);
const lease = fc.constantFrom<LeaseSteps[]>(2, 1, 3);
const rarely = fc.constantFrom(false, false, false, true);
const activitySeqs = fc.uniqueArray(fc.constantFrom<ActivitySeq[]>(2, 3, 4), { minLength: 1, maxLength: 2 });

/** Null so many times as often as a value. */
export function orNull<T>(one: fc.Arbitrary<T>, weight = 1): fc.Arbitrary<T | null> {
  return fc.oneof({ weight, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: one });
}

const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> => fc.constantFrom(usual, usual, usual, usual, ...others);

/** Most of all, or some of all. */
function someOf<T>(all: readonly T[]): fc.Arbitrary<readonly T[]> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(all) }, { weight: 1, arbitrary: fc.subarray([...all]) });
}

function listOf<T>(one: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<readonly T[]> {
  return fc.array(one, { minLength: 1, maxLength, size: "max" });
}

const goOn: fc.Arbitrary<Pick<TurnChoice, "close" | "next">> = fc.record({
  close: fc.constant(null),
  next: fc.oneof(
    fc.record({ do: fc.constant("hold" as const) }),
    fc.record({ do: fc.constant("park" as const), in: stepsOrNever }),
    fc.record({ do: fc.constant("block" as const), in: stepsOrNever }),
  ),
});

const end: typeof goOn = fc.record({
  close: fc.record({ status: fc.constantFrom("completed", "failed", "cancelled"), discardUnread: fc.boolean() }),
  next: fc.oneof(
    fc.record({ do: fc.constantFrom<("done" | "hold")[]>("done", "done", "done", "done", "hold") }),
    fc.record({ do: fc.constantFrom<("park" | "block")[]>("park", "block"), in: stepsOrNever }),
  ),
});

/** Refused, but for a run that was closed before. */
const doneOnly: typeof goOn = fc.record({
  close: fc.constant(null),
  next: fc.record({ do: fc.constant("done" as const) }),
});

const turn: fc.Arbitrary<TurnChoice> = fc
  .tuple(
    fc.oneof({ weight: 6, arbitrary: goOn }, { weight: 4, arbitrary: end }, { weight: 1, arbitrary: doneOnly }),
    fc.record({
      kind: fc.constant("turn" as const),
      claim: back,
      off: mostly<TurnChoice["off"]>(0, 0, 0, 0, 0, 0, -1, 1),
      events: fc.constantFrom(1, 1, 1, 1, 2, 2, 0),
      ack: mostly<TurnChoice["ack"]>("all", "all", "none", "none", "one", "behind", "ahead"),
      schedule: fc.oneof(
        fc.constant([]),
        activitySeqs.chain((seqs) =>
          fc.tuple(...seqs.map((seq) => fc.record({ seq: fc.constant(seq), readyIn: stepsOrNever }))),
        ),
      ),
      cancel: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: activitySeqs }),
      fields: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.subarray<TurnChoice["fields"][number]>(["state", "attributes", "baseSeq"]) },
      ),
    }),
  )
  .map(([close, rest]) => ({ ...rest, ...close }));

const outcome: fc.Arbitrary<OutcomeChoice> = fc.record({
  kind: fc.constant("outcome" as const),
  claim: back,
  next: fc.oneof(
    fc.record({ do: fc.constant("complete" as const) }),
    fc.record({ do: fc.constant("release" as const) }),
    fc.record({ do: fc.constant("retry" as const), in: steps, details: fc.boolean() }),
  ),
});

/** Operations whose effect stays within the runs of a scope. */
function callsWithin({ runs, clients, batch }: Scope): readonly fc.WeightedArbitrary<CallOperation>[] {
  const client = fc.nat({ max: clients - 1 });
  const run = fc.constantFrom(...runs);
  const task: fc.Arbitrary<TaskChoice> = fc.record({ run, seq: mostly<TaskChoice["seq"]>(0, 2, 3, 4) });
  const tasks = fc.uniqueArray(task, {
    minLength: 1,
    maxLength: batch,
    selector: ({ run: of, seq }) => `${of} ${seq}`,
  });
  const newRun: fc.Arbitrary<NewRunChoice> = fc.record({
    run,
    hash: mostly<0 | 1>(0, 1),
    readyIn: mostly<number | null>(null, 0, 1, 2),
    deadlineIn: mostly<number | null>(null, 0, 1, 2),
    child: runs.length > 1 ? rarely : fc.constant(false),
  });
  const message: fc.Arbitrary<MessageChoice> = fc.record({
    run,
    incarnation: fc.constantFrom<MessageChoice["incarnation"][]>("any", "any", "newest", "another"),
    slot: fc.constantFrom<(0 | 1)[]>(0, 1),
    external: fc.constantFrom(true, true, false),
  });
  const entry: fc.Arbitrary<CacheChoice> = fc.record({
    key: run,
    expiresIn: stepsOrNever,
    mode: fc.constantFrom<CacheChoice["mode"][]>("first", "replace"),
    owner: orNull(back),
  });
  const queues = [...new Set(runs.map((name) => RUNS[name].queue))];
  const workflows = [...new Set(runs.map((name) => RUNS[name].workflow))];
  const activities = Object.values(ACTIVITIES);
  const request = fc.record({ run, after: fc.constantFrom(0, 1, 3), limit: orNull(fc.constantFrom(1, 2)) });
  return [
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constant("create" as const), client, runs: listOf(newRun, batch) }),
    },
    {
      weight: 26,
      arbitrary: fc.record({
        do: fc.constant("claim" as const),
        client,
        queues: someOf(queues),
        kinds: someOf(["workflow", "activity"] as const),
        workflows: someOf(workflows),
        activities: someOf(activities),
        limit: batch === 1 ? fc.constant(1) : fc.constantFrom(1, 1, 1, 2, 5),
        lease,
        inlineEvents: fc.constantFrom(16, 16, 1, 0),
        overdue: rarely,
        forgets: batch === 1 ? fc.constant(false) : rarely,
        tasks: orNull(tasks, 5),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant("renew" as const), client, claims: listOf(back, batch), lease }),
    },
    {
      weight: 36,
      arbitrary: fc.record({
        do: fc.constant("commit" as const),
        client,
        commits: fc.oneof(
          { weight: 3, arbitrary: fc.tuple(turn) },
          { weight: 2, arbitrary: fc.tuple(outcome) },
          { weight: 1, arbitrary: listOf<TurnChoice | OutcomeChoice>(fc.oneof(turn, outcome), batch) },
        ),
      }),
    },
    {
      weight: 12,
      arbitrary: fc.record({ do: fc.constant("deliver" as const), client, messages: listOf(message, batch) }),
    },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("unblock" as const), client, tasks }) },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant("write-cache" as const), client, entries: listOf(entry, batch) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("read-cache" as const), client, keys: listOf(run, batch) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("get-run" as const), client, run }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("read-events" as const), client, runs: listOf(request, batch) }),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("again" as const), client, back }) },
    {
      weight: 7,
      arbitrary: fc.record({
        do: fc.constant("purge" as const),
        client,
        runs: runs.length > 1 ? orNull(fc.subarray([...runs], { minLength: 1 }), 3) : fc.constant(runs),
        closedBefore: mostly(1, 0),
        aged: rarely,
        status: orNull(fc.constantFrom("completed", "failed", "cancelled"), 5),
      }),
    },
  ];
}

/** Operations over all runs at once. */
function listings({ runs, clients }: Scope): readonly fc.WeightedArbitrary<CallOperation>[] {
  const client = fc.nat({ max: clients - 1 });
  return [
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("list" as const),
        client,
        limit: fc.constantFrom(10, 1, 2),
        status: orNull(fc.constantFrom("open", "completed", "failed", "cancelled"), 3),
        workflow: orNull(fc.constantFrom("order", "refund"), 3),
        queue: orNull(fc.constantFrom("left", "right"), 3),
        blocked: orNull(fc.boolean(), 3),
        parent: orNull(fc.constantFrom(...runs), 3),
        attribute: orNull(fc.constantFrom(0, 1), 3),
        createdAfter: orNull(steps, 3),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("stats" as const), client }) },
  ];
}

export interface SequenceOptions extends Scope {
  readonly maxLength: number;
  /** Time can be moved. */
  readonly time: boolean;
  /** Listings see every write at once. */
  readonly listing: boolean;
}

/** Ready at once. */
export function plainRun(run: RunName): NewRunChoice {
  return { run, hash: 0, readyIn: null, deadlineIn: null, child: false };
}

/** Operations of several clients, one after the other. */
export function sequences(options: SequenceOptions): fc.Arbitrary<readonly Operation[]> {
  const one = fc.oneof<fc.WeightedArbitrary<Operation>[]>(
    ...callsWithin(options),
    ...(options.listing ? listings(options) : []),
    ...(options.time
      ? [{ weight: 9, arbitrary: fc.record({ do: fc.constant("pass" as const), steps: fc.constantFrom(1, 2, 3) }) }]
      : []),
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("reopen" as const), client: fc.nat({ max: options.clients - 1 }) }),
    },
  );
  // Where nothing was created, there is little to see.
  const beginning = fc.constant<Operation>({ do: "create", client: 0, runs: options.runs.map(plainRun) });
  const all = fc.array(one, { minLength: 1, maxLength: options.maxLength, size: "max" });
  return fc.noBias(
    fc.oneof(
      { weight: 1, arbitrary: all },
      { weight: 5, arbitrary: fc.tuple(beginning, all).map(([first, rest]) => [first, ...rest]) },
    ),
  );
}

/** Calls about one run with one element each: the elements of a batch need not take effect at the same moment. */
export function callsOn(run: RunName): fc.Arbitrary<CallOperation> {
  return fc.oneof(...callsWithin({ runs: [run], clients: 1, batch: 1 }));
}
