import { type Client, createClient, type WorkflowEvent } from "@perdure/core";
import type { Millis } from "@perdure/core/storage";
import { check, equal, unique } from "../assert.ts";
import { checkRun } from "../cases/l2/check-run.ts";
import type { RecordedRun } from "../crash/recorded-run.ts";
import { generationsOf } from "../generations.ts";
import { Random } from "../random.ts";
import type { Worked } from "./activities.ts";
import { type Role, STATUS_OF } from "./cast.ts";
import { Executions } from "./executions.ts";
import { outputOf } from "./expected.ts";
import { simulatedActivities } from "./activities.ts";
import { interpreterOf } from "./interpreter.ts";
import type { Program, Step } from "./program.ts";
import type { Acknowledged } from "./witness.ts";
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
      checkSignals(record);
      checkTimers(record, witness.histories.get(runId)!);
      checkActivities(record, world);
      await checkRow(record, client);
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
  const wasCancelled = history.some(({ type }) => type === "CANCEL_REQUESTED");
  for (const { type, data } of history) {
    if (type !== "CHILD_SCHEDULED") continue;
    const child = records.get(data.runId);
    if (child === undefined) continue;
    const program = data.input as Program;
    const last = child.history.at(-1)!;
    check(child.run.status !== "failed", `child "${data.runId}" does not fail (I12)`);
    if (last.type === "WORKFLOW_COMPLETED")
      equal(last.data.output, outputOf(program), `child "${data.runId}" has the right output (I12)`);
    if (data.parentClose === "abandon" && !wasCancelled)
      equal(child.run.status, "completed", `child "${data.runId}", which was abandoned, goes on to its end (I9)`);
  }
}

/**
 * The row of a run is the fold of its history. The state of a run that was ended without its code may be ahead of it, by what its
 * worker was about to record; and that of a child which its parent's end has created is there from the first change on.
 */
async function checkRow({ run, history }: RecordedRun, client: Client): Promise<void> {
  const { runId } = run;
  let state: Record<string, unknown> = {};
  const attributes: Record<string, unknown> = {};
  for (const { type, data } of history) {
    if (type === "WORKFLOW_CONTINUED_AS_NEW") state = {};
    if (type === "STATE_SET") state[data.key] = data.value;
    if (type === "ATTRIBUTES_SET") Object.assign(attributes, data.attributes);
  }
  equal(run.attributes, attributes, `the attributes of run "${runId}" are the fold of its history (I3)`);
  if (isEndedWithoutCode(history.at(-1)!)) return;
  equal(
    (await client.handle(runId).state()) ?? {},
    state,
    `the state of run "${runId}" is the fold of its history (I3)`,
  );
}

function isEndedWithoutCode({ type, data }: WorkflowEvent): boolean {
  if (type === "WORKFLOW_CANCELLED") return data.terminated === true;
  return type === "WORKFLOW_FAILED" && data.failure.code === "timed-out";
}

function checkSignals({ run, history }: RecordedRun): void {
  const ids = history.flatMap(({ type, data }) => (type === "SIGNAL_RECEIVED" ? [data.id] : []));
  unique(ids, `no signal of run "${run.runId}" is received twice (I18)`);
}

/** A timer fires when its time has passed: by the store's clock, or truly, for that clock may be set while a turn goes by its last answer. */
function checkTimers({ run, history }: RecordedRun, acknowledged: readonly Acknowledged[]): void {
  for (const generation of generationsOf(history)) {
    const started = new Map<number | null, { readonly dueAt: Millis; readonly trulyDueAt: Millis }>();
    for (const { type, command, data, seq, at } of generation) {
      const { now, trulyAt } = acknowledged[seq - 1]!;
      if ((type === "TIMER_STARTED" || type === "SIGNAL_AWAITED") && data.dueAt !== undefined)
        started.set(command, { dueAt: data.dueAt, trulyDueAt: trulyAt + data.dueAt - now });
      const timer = type === "TIMER_FIRED" ? started.get(command) : undefined;
      if (timer === undefined) continue;
      const early = Math.max(timer.dueAt - at, Math.min(timer.dueAt - now, timer.trulyDueAt - trulyAt));
      check(early <= 0, `the timer of command ${command} of run "${run.runId}" does not fire ${early} ms early (I10)`);
    }
  }
}

/** Each recorded result is that of an execution, and no attempt is executed again without a reason (I12, I13). */
function checkActivities({ run, history }: RecordedRun, { executions, troubles }: World): void {
  const { runId } = run;
  const own = executions.all.filter((execution) => execution.runId === runId);
  for (const generation of generationsOf(history)) {
    const inputs = new Map<number | null, unknown>();
    for (const { type, command, data } of generation) {
      if (!type.startsWith("ACTIVITY_") || !("activity" in data)) continue;
      if (data.input !== undefined) inputs.set(command, data.input);
      if (type !== "ACTIVITY_COMPLETED") continue;
      const step = inputs.get(command) as Step;
      if (data.activity !== "work" && data.activity !== "remote") continue;
      if (step.do !== "work") continue;
      const { execution, attempt } = data.output as Worked;
      const of = `step "${step.id}" of run "${runId}"`;
      const calls = own.filter((one) => one.step === step.id);
      const returned = executions.all[execution]!;
      equal(
        [returned.runId, returned.step, returned.attempt],
        [runId, step.id, attempt],
        `the result of ${of} is its own (I12)`,
      );
      equal(
        new Set(calls.map((call) => call.idempotencyKey)).size,
        1,
        `every execution of ${of} has the same idempotency key`,
      );
      equal(attempt, step.fails + 1, `${of} succeeds at its attempt (I16)`);
      if (troubles.size === 0)
        equal(
          calls.map((call) => call.attempt),
          Array.from({ length: attempt }, (_, at) => at + 1),
          `each attempt of ${of} is executed once where nothing is in its way (I13)`,
        );
    }
  }
}
