import type { StorageBackend } from "@perdure/core/storage";
import { afterEach, describe, expect, test } from "vitest";
import { connectionCuts } from "../src/cases/l4/connection-cuts.ts";
import { cutWorkers } from "../src/cases/l4/cut-workers.ts";
import { insist } from "../src/crash/traffic.ts";
import type { BackendUnderTest, OpenOptions } from "../src/index.ts";
import { type CaseOutcome, runCase } from "../src/run-case.ts";
import { wrapVerbs } from "../src/verbs.ts";
import memory from "../backends/memory.ts";
import served, { mutation } from "./served-memory.ts";

/** The cases themselves: they accept good stores and adapters, and see each of these bugs. */

const CASE_TEST = { timeout: 90_000 };

afterEach(() => {
  mutation.breakIt = () => ({});
});

function run(subject: BackendUnderTest = served, full = false): Promise<CaseOutcome> {
  return runCase(subject, connectionCuts, { seed: 1, full });
}

/** What the case says first of a store or an adapter that it refuses. */
async function failureOf(subject?: BackendUnderTest): Promise<string | undefined> {
  const { report } = await run(subject);
  return report.status === "failed" ? report.message?.split("  [recovery.", 1)[0] : undefined;
}

/** Another adapter: what `wrap` makes of each client. */
function adapter(wrap: (client: StorageBackend) => StorageBackend): BackendUnderTest {
  return { ...served, open: async (options) => wrap(await served.open(options)) };
}

const fresh = (() => {
  let count = 0;
  return () => `fresh-${count++}`;
})();

/** An adapter that shows what its driver throws. */
const bare = adapter((client) =>
  wrapVerbs(client, async (_verb, _args, call) => {
    try {
      return await call();
    } catch {
      throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
    }
  }),
);

/** A store that would apply a commit again, to whatever head there is. */
function forgetsCommits(honest: StorageBackend): Partial<StorageBackend> {
  return {
    async commitTasks(commits) {
      const heads = await Promise.all(commits.map(({ claim }) => honest.getRun(claim.runId)));
      return honest.commitTasks(
        commits.map((commit, index) => ({
          ...commit,
          commitId: fresh(),
          ...(commit.kind === "workflow" && { expectedSeq: heads[index]?.lastSeq ?? 1 }),
        })),
      );
    },
  };
}

test("a good store passes: 40 cuts, and commits that it had taken already", CASE_TEST, async () => {
  const { report, guards } = await run();
  expect(report).toMatchObject({ status: "passed" });
  const counted = Object.entries(report.counts ?? {}).filter(([name]) => / cut /.test(name));
  expect(counted.reduce((sum, [, count]) => sum + count, 0)).toBe(40);
  expect(guards.get("cut-commit-recognised")).toBeGreaterThanOrEqual(1);
});

test("200 cuts, with the large numbers", CASE_TEST, async () => {
  const { report } = await run(served, true);
  const counted = Object.entries(report.counts ?? {}).filter(([name]) => / cut /.test(name));
  expect(counted.reduce((sum, [, count]) => sum + count, 0)).toBe(200);
});

test("an adapter that needs several requests for a call passes", CASE_TEST, async () => {
  const chatty = adapter((client) =>
    wrapVerbs(client, async (verb, _args, call) => {
      if (verb === "close") return call();
      await client.now();
      const answer = await call();
      await client.now();
      return answer;
    }),
  );
  expect((await run(chatty)).report).toMatchObject({ status: "passed" });
});

test("an adapter that repeats calls by itself passes", CASE_TEST, async () => {
  const patient = adapter((client) => wrapVerbs(client, (_verb, _args, call) => insist(call)));
  const { report, guards } = await run(patient);
  expect(report).toMatchObject({ status: "passed", counts: { "calls that were answered all the same": 40 } });
  expect(guards.get("cut-commit-recognised")).toBeGreaterThanOrEqual(1);
});

test("a store that does not know commits again fails (I7)", CASE_TEST, async () => {
  mutation.breakIt = forgetsCommits;
  expect(await failureOf()).toMatch(/commitTasks, cut after request 1/);
});

test("a store that does not know messages again fails", CASE_TEST, async () => {
  mutation.breakIt = (honest) => ({
    deliver: (messages) => honest.deliver(messages.map((message) => ({ ...message, dedupeId: fresh() }))),
  });
  expect(await failureOf()).toMatch(/, cut after request 1, is answered as if it was applied once, not unread/);
});

test("a store that keeps a claim whose answer was lost fails", CASE_TEST, async () => {
  mutation.breakIt = (honest) => ({
    claimTasks: (request) => honest.claimTasks({ ...request, workerInstance: fresh() }),
  });
  expect(await failureOf()).toContain("exactly one workflow task is handed out");
});

test("an adapter that repeats a commit under another id fails (I7)", CASE_TEST, async () => {
  const forgetful = adapter((client) => ({
    ...wrapVerbs(client, (_verb, _args, call) => call()),
    commitTasks: (commits) =>
      insist(() => client.commitTasks(commits.map((commit) => ({ ...commit, commitId: fresh() })))),
  }));
  expect(await failureOf(forgetful)).toContain(
    "commitTasks, cut after request 1, is answered as if it was applied once",
  );
});

test("an adapter that shows the errors of its driver fails (I29)", CASE_TEST, async () => {
  expect(await failureOf(bare)).toContain("the client's call is answered: Error: read ECONNRESET");
});

test("an adapter that does not connect again fails", CASE_TEST, async () => {
  const fragile = adapter((client) => {
    let broken: unknown;
    return wrapVerbs(client, async (_verb, _args, call) => {
      if (broken !== undefined) throw broken;
      try {
        return await call();
      } catch (error) {
        broken = error;
        throw error;
      }
    });
  });
  expect(await failureOf(fragile)).toContain("the client's call is answered");
});

test("an adapter that connects where it always does fails: nothing was cut", CASE_TEST, async () => {
  const stubborn = { ...served, open: ({ namespace, clock }: OpenOptions) => served.open({ namespace, clock }) };
  expect(await failureOf(stubborn)).toContain("a client that is opened with another `server` connects there");
});

test("a store in the process has no network", CASE_TEST, async () => {
  expect((await run(memory)).report).toMatchObject({ status: "not-applicable" });
});

describe("busy workers", () => {
  async function workersFailure(subject: BackendUnderTest = served): Promise<string | undefined> {
    // So many that some certainly hit the answer to a commit.
    const { report } = await runCase(subject, cutWorkers, { seed: 1, cuts: 120 });
    return report.status === "failed" ? report.message?.split("  [recovery.", 1)[0] : undefined;
  }

  test("a good store passes", CASE_TEST, async () => {
    const { report } = await runCase(served, cutWorkers, { seed: 1 });
    expect(report).toMatchObject({ status: "passed" });
    const { cut = 0, cutBeforeRequest = 0, cutAfterReply = 0 } = report.counts ?? {};
    expect(cut + cutBeforeRequest + cutAfterReply).toBeGreaterThanOrEqual(40);
  });

  test("a store that does not know commits again fails (I7)", CASE_TEST, async () => {
    mutation.breakIt = forgetsCommits;
    // Seen in the histories, or before that by a client whose run has ended with a signal to come.
    expect(await workersFailure()).toMatch(/I\d|is closed and takes no signal/);
  });

  test("an adapter that shows the errors of its driver fails", CASE_TEST, async () => {
    expect(await workersFailure(bare)).toMatch(/ECONNRESET/);
  });
});
