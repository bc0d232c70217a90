import type { RunRecord, WorkflowTask } from "./records.ts";
import { Namespace } from "./store.ts";

/** A copy of some runs with their tasks, to see what a write would answer. Nobody waits for its hints, and nothing in it is claimed. */
export function trialOf(space: Namespace, runIds: ReadonlySet<string>): Namespace {
  const trial = new Namespace(space.clock);
  for (const runId of runIds) {
    const run = space.runs.get(runId);
    if (run !== undefined) trial.runs.add(copyOf(run, trial));
  }
  return trial;
}

function copyOf(run: RunRecord, trial: Namespace): RunRecord {
  const copy: RunRecord = { ...run, events: [...run.events], dedupe: new Map(run.dedupe) };
  copy.task = run.task && copyOfTask(run.task, copy, trial);
  return copy;
}

function copyOfTask(task: WorkflowTask, run: RunRecord, { tasks }: Namespace): WorkflowTask {
  const nowhere = { run, place: null, deadlinePlace: null };
  const copy: WorkflowTask = {
    ...task,
    ...nowhere,
    lane: tasks.lane(task.queue, task.kind, task.name),
    inbox: [...task.inbox],
    activities: new Map(),
    completed: new Map(task.completed),
  };
  for (const [id, activity] of task.activities) {
    const { queue, kind, name } = activity;
    copy.activities.set(id, { ...activity, ...nowhere, lane: tasks.lane(queue, kind, name) });
  }
  for (const one of [copy, ...copy.activities.values()]) tasks.add(one);
  return copy;
}
