import type { Claim, WorkflowCommit } from "@perdure/core/storage";
import { mysql } from "@perdure/storage-mysql";
import { expect, onTestFinished, test } from "vitest";
import { anything, hold, newRun } from "../../storage-sql/test/requests.ts";
import { newDatabase } from "./scratch.ts";

const MIB = 2 ** 20;

/** A payload of so many bytes, each of which has to be escaped on the way. */
function nasty(bytes: number): string {
  return `"${"\\".repeat(bytes - 2)}"`;
}

function commitOf(claim: Claim, payloads: readonly string[]): WorkflowCommit {
  const events = payloads.map((data) => ({ type: "SIDE_EFFECT_RECORDED" as const, command: null, at: 1, data }));
  return hold(claim, 1, { events });
}

test("commits as large as the limits go to the server in packets that it takes", { timeout: 120_000 }, async () => {
  // Every packet has to fit into what MariaDB takes by default.
  const storage = mysql(await newDatabase());
  onTestFinished(() => storage.close());
  const { payloadBytes, commitBytes } = storage.info.limits;
  const ids = ["a", "b", "c"];
  const largest = nasty(payloadBytes);
  const created = await storage.createRuns(ids.map((runId) => newRun(runId, { input: largest, state: largest })));
  expect(created.map(({ status }) => status)).toEqual(ids.map(() => "created"));
  const { tasks } = await storage.claimTasks(anything());
  const claims = tasks.map(({ claim }) => claim);
  const [a, b, c] = claims;
  const small = Array.from({ length: 100 }, () => nasty(Math.floor(commitBytes / 100) - 1));
  const results = await storage.commitTasks([
    commitOf(a!, [largest, largest]),
    commitOf(b!, small),
    commitOf(c!, ['"€"'.padEnd(100, " ")]),
  ]);
  expect(results.map(({ status }) => status)).toEqual(ids.map(() => "ok"));
  const [pageA, pageB] = await storage.readEvents(ids.map((runId) => ({ runId, after: 1 })));
  expect(pageA!.events.map(({ data }) => data === largest)).toEqual([true, true]);
  expect(pageB!.events.map(({ data }) => data)).toEqual(small);
  const closing = {
    ...hold(a!, 3, { events: [] }),
    run: { state: largest },
    close: { status: "completed" as const, output: nasty(commitBytes - payloadBytes - 100) },
    next: { do: "done" as const },
  };
  expect(await storage.commitTasks([closing])).toMatchObject([{ status: "ok" }]);
  const run = await storage.getRun("a");
  expect([run!.input === largest, run!.state === largest, run!.output === closing.close.output]).toEqual([
    true,
    true,
    true,
  ]);
});

test("what is above the limits is refused, and nothing is written", async () => {
  const storage = mysql(await newDatabase());
  onTestFinished(() => storage.close());
  const tooLarge = newRun("run", { input: nasty(storage.info.limits.payloadBytes + 1) });
  await expect(storage.createRuns([tooLarge])).rejects.toMatchObject({ code: "payload-too-large" });
  expect(await storage.getRun("run")).toBeUndefined();
});

test("larger packets allow for larger payloads", () => {
  const { limits } = mysql({ url: "mysql://app@db.invalid/orders", maxAllowedPacket: 64 * MIB }).info;
  expect(limits.payloadBytes).toBe(12 * MIB);
});
