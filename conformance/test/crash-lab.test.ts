import { readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import type { CommitResult, StorageBackend, TaskCommit } from "@perdure/core/storage";
import { afterEach, expect, test } from "vitest";
import type { ConformanceCase } from "../src/case.ts";
import { blackhole } from "../src/cases/l4/blackhole.ts";
import { clockSkew } from "../src/cases/l4/clock-skew.ts";
import { diskFull } from "../src/cases/l4/disk-full.ts";
import { killRandom } from "../src/cases/l4/kill-random.ts";
import { reopen } from "../src/cases/l4/reopen.ts";
import { serverKilled } from "../src/cases/l4/server-killed.ts";
import { zombie } from "../src/cases/l4/zombie.ts";
import { runCase } from "../src/run-case.ts";
import type { Strikes } from "../src/strikes.ts";
import carefree from "./carefree-sqlite.ts";
import served, { mutation } from "./served-memory.ts";

/** The lab itself: it accepts a good store, and sees each of these bugs. */

const LAB_TEST = { timeout: 90_000 };

afterEach(() => {
  mutation.breakIt = () => ({});
  mutation.forgets = false;
  mutation.believes = false;
});

async function failureOf(
  one: ConformanceCase,
  strikes: Partial<Strikes> = { kills: 8 },
  subject = served,
): Promise<string | undefined> {
  const { report } = await runCase(subject, one, { seed: 1, ...strikes });
  expect({ processes: processesLeft(), folders: foldersLeft() }).toEqual({ processes: [], folders: [] });
  // What follows names every invariant of the case.
  return report.message?.split("  [crash.", 1)[0];
}

test("a good store passes", LAB_TEST, async () => {
  expect(await failureOf(reopen)).toBeUndefined();
  expect(await failureOf(zombie)).toBeUndefined();
  expect(await failureOf(killRandom)).toBeUndefined();
});

test("a good store behind a network passes", LAB_TEST, async () => {
  expect(await failureOf(serverKilled)).toBeUndefined();
  expect(await failureOf(blackhole)).toBeUndefined();
  expect(await failureOf(clockSkew)).toBeUndefined();
});

test("a server that has stored nothing when it is killed fails (I4)", LAB_TEST, async () => {
  mutation.forgets = true;
  expect(await failureOf(serverKilled)).toContain("I4");
});

test("a store that takes the commits of a worker that was cut off fails (I6)", LAB_TEST, async () => {
  mutation.breakIt = (honest) => ({
    commitTasks: (commits) => each(commits, (commit) => underAnyEpoch(honest, commit)),
  });
  expect(await failureOf(blackhole)).toContain("I6");
});

test("a store that takes the commits of a stopped worker fails (I6)", LAB_TEST, async () => {
  mutation.breakIt = (honest) => ({
    commitTasks: (commits) => each(commits, (commit) => underAnyEpoch(honest, commit)),
  });
  expect(await failureOf(zombie)).toContain("I6");
});

test("a store that acknowledges a commit and forgets it fails (I4, I7)", LAB_TEST, async () => {
  let count = 0;
  mutation.breakIt = (honest) => ({
    commitTasks: (commits) =>
      each(commits, async (commit) => {
        const forgets = commit.kind === "workflow" && commit.next.do === "park" && ++count % 10 === 0;
        if (!forgets) return (await honest.commitTasks([commit]))[0]!;
        await honest.commitTasks([{ ...commit, events: [], ackInbox: 0 }]);
        return { status: "ok", held: false, now: await honest.now(), leaseUntil: null, inboxLast: 0, messages: [] };
      }),
  });
  expect(await failureOf(killRandom)).toMatch(/I4|I7/);
});

test("a store that acknowledges before it writes fails (I4)", LAB_TEST, async () => {
  mutation.breakIt = (honest) => {
    let unwritten: Promise<unknown> | (() => Promise<unknown>) = Promise.resolve();
    const flush = async (): Promise<void> => void (await (typeof unwritten === "function" ? unwritten() : unwritten));
    return {
      async getRun(runId) {
        await flush();
        return honest.getRun(runId);
      },
      async claimTasks(request) {
        await flush();
        return honest.claimTasks(request);
      },
      async deliver(messages) {
        unwritten = () => honest.deliver(messages);
        return messages.map(() => ({ status: "accepted" }));
      },
    };
  };
  expect(await failureOf(reopen)).toContain("I4");
});

test("a store that believes the clocks of its clients fails (I8, I13, I24)", LAB_TEST, async () => {
  mutation.believes = true;
  expect(await failureOf(clockSkew)).toMatch(/I8|I13|I24/);
});

test("an adapter that takes a commit for stored that found no room fails (I4, I7, I9)", LAB_TEST, async () => {
  expect(await failureOf(diskFull, {}, carefree)).toMatch(/I4|I7|I9/);
});

test.each([
  [killRandom, "kills"],
  [zombie, "zombies"],
  [blackhole, "blackholes"],
  [serverKilled, "serverKills"],
] as const)("a nemesis that never fired fails: $1", LAB_TEST, async (one, nemesis) => {
  expect(await failureOf(one, { [nemesis]: 0 })).toContain("a nemesis that never fired");
});

test("a case that runs out of time leaves nothing behind", LAB_TEST, async () => {
  const { nemesis: _, ...withoutMore } = killRandom;
  expect(await failureOf({ ...withoutMore, timeoutMs: 1_500 }, { kills: 1_000 })).toContain("ends within 1500 ms");
});

function each(
  commits: readonly TaskCommit[],
  commit: (commit: TaskCommit) => Promise<CommitResult>,
): Promise<CommitResult[]> {
  return commits.reduce(
    async (before, one) => [...(await before), await commit(one)],
    Promise.resolve<CommitResult[]>([]),
  );
}

async function underAnyEpoch(honest: StorageBackend, commit: TaskCommit): Promise<CommitResult> {
  for (let ahead = 0; ; ahead++) {
    const claim = { ...commit.claim, epoch: commit.claim.epoch + ahead };
    const [result] = await honest.commitTasks([{ ...commit, claim }]);
    if (result!.status !== "lease-lost" || ahead === 4) return result!;
  }
}

function processesLeft(): string[] {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").split(" ");
  return children.filter((pid) => {
    if (pid.trim() === "") return false;
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("-process.ts");
  });
}

function foldersLeft(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`perdure-crash-${process.pid}-`));
}
