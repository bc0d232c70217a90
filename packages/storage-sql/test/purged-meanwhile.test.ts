import { runSync } from "@perdure/storage-sql";
import { expect, test } from "vitest";
import { forgottenTasks } from "../src/claim/forgotten-tasks.ts";
import { createRun } from "../src/verbs/create-runs.ts";
import { anything, newRun } from "./requests.ts";
import { answers, newTurn } from "./scratch-turn.ts";

test("a run that is in the way, and purged before it is looked at, is created (I15)", () => {
  const turn = newTurn();
  const lane = { no: 3, queue: "main", kind: "workflow", name: "order", priority: 0 };
  const execute = answers({ count: [0, 1], row: [undefined, { no: 7 }, lane] });
  expect(runSync(createRun(turn, newRun("r")), execute)).toMatchObject({ status: "created", run: { runId: "r" } });
  expect(turn.numbers.get("r")?.no).toBe(7);
});

test("a held task whose run is purged before it is looked at is not forgotten", () => {
  const execute = answers({ rows: [[{ run: 7, seq: 0 }]], row: [undefined] });
  expect(runSync(forgottenTasks(newTurn(), anything()), execute)).toEqual([]);
});
