import { describe, expect, it } from "vitest";
import { activityCommit, claimRequest, INCARNATION, message, newRun, runQuery } from "../../test/port.ts";
import { INFO } from "../memory/info.ts";
import type { Claim, TaskId } from "../storage.ts";
import { verbChecks } from "./verb-checks.ts";

const checks = verbChecks(INFO);
const joinsNothing = verbChecks({ ...INFO, capabilities: { ...INFO.capabilities, transactions: [] } });
const noClaim: Claim = { taskId: "" as TaskId, runId: "", incarnation: INCARNATION, epoch: 1 };
const invalid = expect.objectContaining({ code: "invalid-argument" });

describe("verbChecks", () => {
  it.each([
    ["createRuns", () => checks.createRuns([newRun("")])],
    ["getRun", () => checks.getRun("")],
    ["listRuns", () => checks.listRuns(runQuery({ limit: 0 }))],
    ["listRuns, its cursor", () => checks.listRuns(runQuery({ cursor: "no cursor" }))],
    ["readEvents", () => checks.readEvents([{ runId: "r", after: -1 }])],
    ["claimTasks", () => checks.claimTasks(claimRequest({ limit: 0 }))],
    ["renewLeases", () => checks.renewLeases([noClaim], 10_000)],
    ["renewLeases, the length", () => checks.renewLeases([], 1)],
    ["commitTasks", () => checks.commitTasks([activityCommit(noClaim, { do: "release" })])],
    ["unblockTasks", () => checks.unblockTasks(["" as TaskId])],
    ["deliver", () => checks.deliver([message("", "m")])],
    ["readCache", () => checks.readCache([""])],
    ["writeCache", () => checks.writeCache([{ key: "", value: "1", expiresAt: null, mode: "first" }])],
    ["purgeRuns", () => checks.purgeRuns({ closedBefore: 0, limit: 0 })],
  ])("refuse malformed arguments: %s (I29)", (_, check) => {
    expect(check).toThrow(invalid);
  });

  it("refuse a transaction where it is not declared", () => {
    const options = { tx: {} };
    checks.createRuns([], options);
    for (const verb of ["createRuns", "deliver", "commitTasks"] as const) {
      expect(() => joinsNothing[verb]([], options)).toThrow(expect.objectContaining({ code: "unsupported" }));
    }
  });
});
