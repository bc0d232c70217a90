import type { ActivityCommit, NewActivityTask, NewEvent, TaskCommit, WorkflowCommit } from "@perdure/core/storage";
import { activityTask } from "../build/activity-task.ts";
import { event } from "../build/event.ts";
import { ACTIVITIES, RUNS, type RunName } from "./names.ts";
import type { OutcomeChoice, TurnChoice } from "./operation.ts";
import type { Known, World } from "./world.ts";

/** The commit that a choice means; none while nobody has claimed anything. */
export function toCommit(choice: TurnChoice | OutcomeChoice, world: World): TaskCommit | undefined {
  return choice.kind === "turn" ? toTurn(choice, world) : toOutcome(choice, world);
}

function toTurn(choice: TurnChoice, world: World): WorkflowCommit | undefined {
  const claim = fromNewest(world.turns, choice.claim)?.claim;
  if (claim === undefined) return undefined;
  const number = world.number();
  const known = world.known(claim.taskId);
  const expectedSeq = Math.max(1, known.lastSeq + choice.off);
  const { close, next, fields } = choice;
  const has = (field: TurnChoice["fields"][number]): boolean => fields.includes(field);
  return {
    kind: "workflow",
    claim,
    commitId: `commit-${number}`,
    expectedSeq,
    events: Array.from({ length: choice.events }, (_, index): NewEvent => event({ data: `"${number}.${index}"` })),
    ackInbox: ack(choice.ack, known),
    ...(choice.schedule.length > 0 && {
      schedule: choice.schedule.map((one) => toActivity(claim.runId, claim.incarnation, one, world)),
    }),
    ...(choice.cancel.length > 0 && {
      cancel: choice.cancel.map((seq) => activityTask(claim, seq).taskId),
    }),
    ...(fields.length > 0 && {
      run: {
        ...(has("state") && { state: `"state ${number}"` }),
        ...(has("attributes") && { attributes: number % 2 === 0 ? { number: 1 } : { turn: `turn ${number}` } }),
        ...(has("baseSeq") && { baseSeq: expectedSeq + choice.events - 1 }),
      },
    }),
    ...(close !== null && {
      close: {
        status: close.status,
        ...(close.status === "completed" ? { output: `"output ${number}"` } : { failure: `"failure ${number}"` }),
        ...(close.discardUnread && { discardUnread: true }),
      },
    }),
    next: toNext(next, number, world),
  };
}

function ack(choice: TurnChoice["ack"], { inboxAcked, inboxLast }: Known): number {
  switch (choice) {
    case "none":
      return inboxAcked;
    case "all":
      return inboxLast;
    case "one":
      return inboxAcked + 1;
    case "behind":
      return Math.max(0, inboxAcked - 1);
    case "ahead":
      return inboxLast + 1;
    default:
      return choice satisfies never;
  }
}

function toNext(next: TurnChoice["next"], number: number, world: World): WorkflowCommit["next"] {
  switch (next.do) {
    case "hold":
    case "done":
      return { do: next.do };
    case "park":
      return { do: "park", wakeAt: next.in === null ? null : world.at(next.in) };
    case "block":
      return { do: "block", reason: `"reason ${number}"`, until: next.in === null ? null : world.at(next.in) };
    default:
      return next satisfies never;
  }
}

function toActivity(
  runId: string,
  incarnation: string,
  { seq, readyIn }: TurnChoice["schedule"][number],
  world: World,
): NewActivityTask {
  const name = (Object.keys(RUNS) as RunName[]).find((one) => RUNS[one].runId === runId)!;
  const { queue, priority } = RUNS[name];
  return activityTask({ runId, incarnation }, seq, {
    activity: ACTIVITIES[seq],
    queue,
    priority: priority + 1 - seq,
    input: `"input ${world.number()}"`,
    readyAt: readyIn === null ? null : world.at(readyIn),
  });
}

function toOutcome({ claim: choice, next }: OutcomeChoice, world: World): ActivityCommit | undefined {
  const task = fromNewest(world.activities, choice);
  if (task === undefined) return undefined;
  const { claim } = task;
  const number = world.number();
  const base = { kind: "activity", claim, commitId: `commit-${number}` } as const;
  switch (next.do) {
    case "complete": {
      const message = { runId: claim.runId, dedupeId: `outcome-${number}`, external: false, data: `"${number}"` };
      return { ...base, next: { do: "complete", message } };
    }
    case "retry": {
      const details = next.details && { details: `"details ${number}"` };
      return { ...base, next: { do: "retry", at: world.at(next.in), attempt: task.task.attempt + 1, ...details } };
    }
    case "release":
      return { ...base, next: { do: "release" } };
    default:
      return next satisfies never;
  }
}

/** The n-th from the end, or the last that is left. */
export function fromNewest<T>(items: readonly T[], back: number): T | undefined {
  return items.at(-1 - Math.min(back, items.length - 1));
}
