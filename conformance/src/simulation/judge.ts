import { type Client, createClient, type WorkflowEvent } from "@perdure/core";
import { check, equal } from "../assert.ts";
import { checkRun } from "../cases/l2/check-run.ts";
import type { RecordedRun } from "../crash/recorded-run.ts";
import { Random } from "../random.ts";
import { simulatedActivities } from "./activities.ts";
import { type Role, STATUS_OF } from "./cast.ts";
import { checkRecord } from "./check-record.ts";
import { Executions } from "./executions.ts";
import { outputOf } from "./expected.ts";
import { interpreterOf } from "./interpreter.ts";
import type { Program } from "./program.ts";
import type { World } from "./world.ts";

/** What became of a run that could end in one way only: the same in every world of its seed. */
export interface End {
  readonly runId: string;
  readonly status: string;
  readonly output?: unknown;
  readonly failure?: string;
}

/** Code for replays: nothing of it is executed. */
const interpreter = interpreterOf(
  simulatedActivities({
    by: "replay",
    runtime: { after: () => () => {} },
    now: () => 0,
    executions: new Executions(),
  }),
);
const definitions = new Map([[interpreter.name, interpreter]]);

/**
 * Confronts what is recorded of a world with what was asked of it and with what its activities did. Answers the ends of the runs that could
 * end in one way only.
 * @param replayed see `checkRun`
 */
export async function judge(world: World, seed: number, replayed: Set<string>): Promise<readonly End[]> {
  const { storage, witness } = world;
  const client = createClient({ storage });
  const ends: End[] = [];
  try {
    const records = new Map<string, RecordedRun>();
    for (const { runId } of (await storage.listRuns({ limit: 1_000 })).items) {
      const record = { run: (await storage.getRun(runId))!, history: await client.handle(runId).history() };
      records.set(runId, record);
      equal(record.history.length, witness.histories.get(runId)?.length, `all of run "${runId}" is kept (I4)`);
      await checkRun(record, { storage, definitions, random: new Random(seed, runId), replayed });
      checkRecord(record, await client.handle(runId).state(), world);
    }
    for (const role of world.cast) ends.push(...(await judgeRole(role, records, client)));
    for (const record of records.values()) judgeChildren(record, records);
  } finally {
    await client.close();
  }
  return ends;
}

async function judgeRole(
  { runId, fate, program }: Role,
  records: ReadonlyMap<string, RecordedRun>,
  client: Client,
): Promise<readonly End[]> {
  const record = records.get(runId);
  check(record, `run "${runId}", which was started and acknowledged, is there (I4)`);
  const { status } = record.run;
  const last = record.history.at(-1)!;
  const end = { runId, status, ...outcome(last) };
  const isOpenEnded = fate.startsWith("maybe");
  if (!isOpenEnded || status !== "completed")
    equal(status, STATUS_OF[fate], `run "${runId}", which was to be ${fate}, ends so (I9)`);
  if (status === "completed")
    equal(await client.handle(runId).result(), outputOf(program), `run "${runId}" has the right output (I12, I18)`);
  if (status === "failed")
    equal(end.failure, fate === "failed" ? "Error" : "timed-out", `run "${runId}" fails for the right reason`);
  return isOpenEnded ? [] : [end];
}

function outcome(last: WorkflowEvent): Pick<End, "output" | "failure"> {
  if (last.type === "WORKFLOW_COMPLETED") return { output: last.data.output };
  if (last.type !== "WORKFLOW_FAILED") return {};
  const { code, name } = last.data.failure;
  return { failure: code === undefined ? name : String(code) };
}

/** A child that has completed has done all that it was asked for; one that was abandoned does, and one that was not ends with its parent. */
function judgeChildren({ history }: RecordedRun, records: ReadonlyMap<string, RecordedRun>): void {
  for (const { type, data } of history) {
    if (type !== "CHILD_SCHEDULED") continue;
    const child = records.get(data.runId);
    if (child === undefined) continue;
    const program = data.input as Program;
    const last = child.history.at(-1)!;
    check(child.run.status !== "failed", `child "${data.runId}" does not fail (I12)`);
    if (last.type === "WORKFLOW_COMPLETED")
      equal(last.data.output, outputOf(program), `child "${data.runId}" has the right output (I12)`);
    if (data.parentClose === "abandon")
      equal(child.run.status, "completed", `child "${data.runId}", which was abandoned, goes on to its end (I9)`);
  }
}
