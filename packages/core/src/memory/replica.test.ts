import { describe, expect, it } from "vitest";
import { activityTaskId, type Millis } from "../model/ids.ts";
import type { NewEvent } from "../storage/event.ts";
import type { ClaimRequest } from "../storage/task.ts";
import type { NewRun } from "../storage/run.ts";
import type { Change } from "./change.ts";
import { subjectOf } from "./change.ts";
import { INFO } from "./info.ts";
import { Replica, type Written } from "./replica.ts";

const EVENT: NewEvent = { type: "E", command: null, at: 1, data: "{}" };

function replica(now: () => Millis = () => 0): Replica {
  return new Replica({ limits: INFO.limits, clock: { now } });
}

function newRun(runId: string): NewRun {
  const nothing = { version: null, parent: null, state: null, readyAt: null, deadlineAt: null } as const;
  const of = { workflow: "w", queue: "q", priority: 0, startHash: "h", parentClose: null, input: "1" } as const;
  return { runId, incarnation: "0123456789abcdef", ...of, ...nothing, attributes: { a: 1 }, started: EVENT };
}

function request(limit: number): ClaimRequest {
  const handlers = { workflows: ["w"], activities: ["act"] };
  const worker = { workerId: "worker", workerInstance: "instance", holding: [], leaseMs: 1_000 };
  return {
    ...worker,
    queues: ["q"],
    kinds: ["workflow", "activity"],
    handlers,
    limit,
    inlineEvents: 0,
    overdue: false,
  };
}

/** Does a little of everything. Answers every change with its time. */
function script(primary: Replica): (readonly [Change, Millis])[] {
  const changes: (readonly [Change, Millis])[] = [];
  let now = 100;
  function done<A>(verb: (now: Millis) => Written<A>): A {
    now += 10;
    const { answer, changes: made } = verb(now);
    for (const change of made) changes.push([JSON.parse(JSON.stringify(change)) as Change, now]);
    return answer;
  }
  done((at) => primary.createRuns(["a", "b", "c", "a"].map(newRun), at));
  const { tasks } = done((at) => primary.claimTasks(request(2), at));
  const [first, second] = tasks.map(({ claim }) => claim);
  const turn = { kind: "workflow", events: [EVENT], ackInbox: 0 } as const;
  const taskId = activityTaskId(first!.runId, first!.incarnation, 2);
  const activity = {
    taskId,
    activity: "act",
    queue: "q",
    priority: 3,
    input: "2",
    attempt: 1,
    readyAt: null,
    details: null,
  };
  const scheduling = { ...turn, claim: first!, commitId: "1", expectedSeq: 1, schedule: [activity] };
  done((at) => primary.commitTasks([{ ...scheduling, next: { do: "park", wakeAt: 5_000 } }], at));
  const message = { runId: first!.runId, external: true, data: "3" };
  done((at) =>
    primary.deliver(
      [
        { ...message, dedupeId: "m" },
        { ...message, dedupeId: "m" },
      ],
      at,
    ),
  );
  done((at) => primary.renewLeases([second!, { ...second!, epoch: 9 }], 2_000, at));
  const entry = { value: "4", expiresAt: null, mode: "first" } as const;
  done((at) =>
    primary.writeCache(
      [
        { ...entry, key: "k", owner: second! },
        { ...entry, key: "l" },
      ],
      at,
    ),
  );
  const block = {
    ...turn,
    claim: second!,
    commitId: "2",
    expectedSeq: 1,
    next: { do: "block", reason: "5", until: null },
  } as const;
  done((at) => primary.commitTasks([block], at));
  done((at) => primary.unblockTasks([second!.taskId], at));
  const again = done((at) => primary.claimTasks(request(10), at)).tasks.find(
    ({ claim }) => claim.runId === second!.runId,
  )!;
  const close = { status: "completed", output: "6" } as const;
  const end = { ...turn, claim: again.claim, commitId: "3", expectedSeq: 2, close, next: { do: "done" } } as const;
  done((at) => primary.commitTasks([end, { ...end, commitId: "4" }], at));
  done((at) => primary.createRuns([newRun("d")], at));
  return changes;
}

describe("a replica", () => {
  it("that the changes of another are applied to has the same records", () => {
    const primary = replica();
    const copy = replica();
    for (const [change, at] of script(primary)) expect(copy.apply(change, at), change.do).toBe(true);
    expect([...copy.image()]).toEqual([...primary.image()]);
    expect(copy.stats(10_000)).toEqual(primary.stats(10_000));
  });

  it("that is made from an image has the same records, and goes on alike", () => {
    const primary = replica();
    script(primary);
    const copy = replica();
    for (const change of primary.image()) copy.apply(JSON.parse(JSON.stringify(change)) as Change, 0);
    expect([...copy.image()]).toEqual([...primary.image()]);
    const purge = { closedBefore: 10_000, minAgeMs: 0, limit: 10 };
    for (const one of [primary, copy]) {
      expect(one.claimTasks(request(10), 6_000).answer.tasks).toHaveLength(4);
      expect(one.purgeRuns(purge, 7_000)).toMatchObject({
        answer: { purged: 1, more: false },
        changes: [{ do: "purge" }],
      });
      expect(one.readCache(["k", "l"], 7_000)).toEqual([undefined, { key: "l", value: "4", expiresAt: null }]);
    }
    expect([...copy.image()]).toEqual([...primary.image()]);
  });

  it("says when a change does not follow from what it has", () => {
    const changes = script(replica());
    const others = changes.filter(
      ([change]) => change.do !== "create" && !(change.do === "cache" && !change.entry.owner),
    );
    for (const [change, at] of others) expect(replica().apply(change, at), change.do).toBe(false);
    const [create, at] = changes[0]!;
    const copy = replica();
    expect([copy.apply(create, at), copy.apply(create, at)]).toEqual([true, false]);
  });

  it("notes nothing of what was refused or known", () => {
    const primary = replica();
    const created = primary.createRuns([newRun("a"), newRun("a")], 1).changes;
    expect(created).toHaveLength(1);
    expect(primary.deliver([{ runId: "b", dedupeId: "m", external: true, data: "1" }], 2).changes).toEqual([]);
    expect(primary.claimTasks({ ...request(1), queues: ["other"] }, 3).changes).toEqual([]);
  });

  it("is told the time that others have written at, and goes on with its own clock", () => {
    let time = 1_000;
    const copy = replica(() => time);
    copy.reach(5_000);
    expect(copy.now()).toBe(5_000);
    time = 6_000;
    expect(copy.now()).toBe(10_000);
  });

  it("forgets its records, but not who waits", async () => {
    const copy = replica();
    const heard: unknown[] = [];
    copy.subscribe((topic) => heard.push(topic)).add({ of: "queue", queue: "q" });
    copy.clear();
    copy.createRuns([newRun("a")], 1);
    await Promise.resolve();
    expect(heard).toEqual([{ of: "queue", queue: "q" }]);
  });
});

describe("subjectOf", () => {
  it("is one run, or one cache entry", () => {
    const subjects = script(replica()).map(([change]) => subjectOf(change));
    expect(new Set(subjects.map((subject) => (subject.of === "run" ? subject.runId : subject.key)))).toEqual(
      new Set(["a", "b", "c", "d", "k", "l"]),
    );
  });
});
